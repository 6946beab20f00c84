//! GitLab's REST API, version 4, as functions from a world and a request to an answer.

pub(crate) mod answer;
pub(crate) mod auth;
pub(crate) mod call;
pub(crate) mod commands;
pub(crate) mod discussions;
pub(crate) mod entities;
pub(crate) mod events;
pub(crate) mod hooks;
pub(crate) mod instance;
pub(crate) mod issue_create;
pub(crate) mod issue_filter;
pub(crate) mod issue_list;
pub(crate) mod issue_update;
pub(crate) mod labels;
pub(crate) mod links;
pub(crate) mod notes;
pub(crate) mod page;
pub(crate) mod params;
pub(crate) mod projects;
pub(crate) mod route;
pub(crate) mod texts;
pub(crate) mod time;
pub(crate) mod uploads;
