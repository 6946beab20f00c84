use crate::support::{Lab, TOKEN};
use gitlab_sim::{AccessLevel, ProjectSpec, Server, Sim, SimBuilder, TokenSpec, UserId, UserSpec};
use mirror_core::{
    ids::{Iid, ProjectId},
    issue::Note,
};
use mirror_gitlab::{Client, NewIssue, NewNote, NoteReply};

/// A simulated GitLab with one project, whose owner the client is.
pub(crate) struct Gitlab {
    pub(crate) sim: Sim,
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) bot: UserId,
    pub(crate) project: ProjectId,
}

impl Gitlab {
    pub(crate) async fn start(builder: SimBuilder) -> Self {
        let sim = builder.build();
        let bot = sim.add_user(UserSpec::new("bot", "Bot"));
        let members = [(bot, AccessLevel::Owner)];
        let project = sim.add_project(ProjectSpec::new("shop/checkout", &members));
        sim.add_token(bot, TokenSpec::api(TOKEN));
        let server = sim.serve("127.0.0.1:0").await.unwrap();
        let client = Lab::new().client(&server.url());
        Self {
            sim,
            server,
            client,
            bot,
            project: ProjectId(project.try_into().unwrap()),
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.project.0.try_into().unwrap()
    }

    pub(crate) async fn issue(&self) -> Iid {
        self.client
            .create_issue(self.project, &new_issue("First"))
            .await
            .unwrap()
            .iid
    }
}

pub(crate) fn new_issue(title: &str) -> NewIssue {
    NewIssue {
        title: title.to_owned(),
        description: "Text".to_owned(),
        ..NewIssue::default()
    }
}

pub(crate) fn comment(body: &str) -> NewNote {
    NewNote {
        body: body.to_owned(),
        ..NewNote::default()
    }
}

pub(crate) fn created(reply: NoteReply) -> (Note, Option<String>) {
    match reply {
        NoteReply::Created {
            note,
            discussion,
            commands: false,
        } => (note, discussion),
        NoteReply::Created { .. } | NoteReply::CommandsOnly => panic!("{reply:?}"),
    }
}
