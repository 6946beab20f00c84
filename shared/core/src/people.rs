//! Who people of the source are on the target.

use crate::ids::UserId;
use std::collections::BTreeMap;

/// Somebody's account on the target.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Account {
    /// Unique in the target's instance.
    pub id: UserId,
    /// The name in mentions there, without `@`.
    pub username: String,
}

/// Who people of the source are on the target: those whom the rules name and who have an account
/// there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct People {
    /// By the source's name, in lower case.
    accounts: BTreeMap<String, Account>,
    mentions: bool,
}

impl People {
    /// By the source's names; with whether a mention of somebody is to reach their account.
    pub fn new(mentions: bool, accounts: impl IntoIterator<Item = (String, Account)>) -> Self {
        let accounts = accounts
            .into_iter()
            .map(|(name, account)| (name.to_ascii_lowercase(), account));
        Self {
            accounts: accounts.collect(),
            mentions,
        }
    }

    /// The account of somebody whom the source calls so.
    pub fn account(&self, username: &str) -> Option<&Account> {
        self.accounts.get(&username.to_ascii_lowercase())
    }

    /// The account that a mention of somebody is to reach; `None`: it is to reach nobody.
    pub fn mentioned(&self, username: &str) -> Option<&Account> {
        self.account(username).filter(|_| self.mentions)
    }

    /// Whether any mention may reach somebody.
    pub(crate) fn may_be_mentioned(&self) -> bool {
        self.mentions && !self.accounts.is_empty()
    }
}
