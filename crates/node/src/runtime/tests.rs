//! What is answered while questions hang, as on a disk that hangs.

use bitdust_api::{Answer, Call};
use bitdust_engine::JobId;
use bitdust_model::intervals::JOIN_PATIENCE;
use bitdust_model::locator::{Contact, Invitation};
use bitdust_model::{ErrorCode, limits};
use bitdust_store::Home;
use bitdust_store::catalogue::HistoryQuestion;
use tokio::sync::broadcast;

use super::facts::facts;
use super::*;
use crate::backup::own_sets::OwnSets;
use crate::recovery::root::first_root;
use crate::shared::answer::Reported;
use crate::shared::config::Config;
use crate::shared::records::seal_root;
use crate::shared::testing::TestHome;
use crate::suppliers::KnownSuppliers;

type ReplyReceiver = oneshot::Receiver<Reported>;

/// The node of a home, whose loop runs when the test says so.
struct Stage {
    node: Node,
    calls: mpsc::Sender<PendingCall>,
    _stop: oneshot::Sender<()>,
    _net: mpsc::Sender<NetEvent>,
    _home: TestHome,
}

impl Stage {
    async fn new() -> Self {
        let mut home = TestHome::new().await;
        let context = home.context.clone();
        let record = first_root(&home.root, context.device, "tester");
        let kept = seal_root(&home.root, &context.network, &record).expect("sealed");
        context.catalogue.set_metas(kept).expect("kept");
        let (_, none) = mpsc::channel(1);
        let tasks = std::mem::replace(&mut home.events, none);
        let config = Config::default();
        let (facts, sets) = facts(&context, &config, Stay::Short).expect("a catalogue");
        let friends = Vec::new();
        let (net_in, net) = mpsc::channel(1);
        let (calls, calls_out) = mpsc::channel(limits::FRONT_END_QUEUE_MAX);
        let (stop, stopped) = oneshot::channel();
        let (events, _) = broadcast::channel(limits::FRONT_END_QUEUE_MAX);
        let held = Home::open(home.home_dir()).expect("the home of the test");
        let known = KnownSuppliers {
            friends,
            sets,
            unfenced: Vec::new(),
        };
        let mut node = Node {
            engine: Engine::new(config.policy.clone()),
            clock: Clock::start(),
            trace: None,
            inbox: Inbox {
                net,
                tasks,
                calls: calls_out,
                stop: stopped,
            },
            network_loop: tokio::spawn(async {}),
            driver: Driver::default(),
            backup: Backup::open(
                context.clone(),
                &config,
                home.home_dir(),
                OwnSets::default(),
                false,
            )
            .expect("a catalogue"),
            restore: Restore::new(context.clone()),
            recovery: Recovery::new(context.clone()),
            suppliers: Suppliers::new(context.clone(), &config, Vec::new(), known),
            service: Service::new(context.clone(), &config, &facts.customers),
            front: Front::open(&context.catalogue, events).expect("a history"),
            questions: Questions::new(),
            context,
            checkup: Checkup::new(false),
            is_stopping: false,
            is_restore_only: facts.is_restore_only,
            home: HeldHome::new(held, config.clone(), "file"),
        };
        node.begin_engine(facts, &config, None);
        Self {
            node,
            calls,
            _stop: stop,
            _net: net_in,
            _home: home,
        }
    }

    /// So many questions hang that no other is begun.
    fn hang(&mut self) {
        for _ in 0..limits::ANSWERS_AT_ONCE_MAX {
            self.node.driver.answer(std::future::pending());
        }
    }

    fn ask(&mut self, call: Call) -> ReplyReceiver {
        let (reply, answer) = oneshot::channel();
        self.node.answer(PendingCall { call, reply });
        answer
    }

    /// What is answered at once, before any task can run.
    fn ask_now(&mut self, call: Call) -> Option<Reported> {
        self.ask(call).try_recv().ok()
    }

    fn begin_job(&mut self) -> bitdust_api::JobId {
        let Some(Ok(Answer::Job(job))) = self.ask_now(Call::Verify { sample: 1 }) else {
            panic!("a job begins at once");
        };
        job
    }

    /// Lets tasks come back until a status that somebody asked for was found, and gives that.
    async fn status_found(&mut self) -> TaskEvent {
        loop {
            let event = tokio::time::timeout(JOIN_PATIENCE, self.node.inbox.tasks.recv()).await;
            let event = event.expect("it is found").expect("a task is left");
            if matches!(event, TaskEvent::StatusFound { .. }) {
                return event;
            }
        }
    }
}

#[tokio::test]
async fn too_many_questions_are_refused_and_nothing_that_takes_effect() {
    let mut stage = Stage::new().await;
    stage.hang();
    let mut waiting = Vec::new();
    for place in 0..limits::ANSWERS_WAITING_MAX {
        let call = [Call::Status, Call::SupplierList, Call::DeviceList][place % 3].clone();
        let mut answer = stage.ask(call);
        assert!(answer.try_recv().is_err(), "{place} waits for its place");
        waiting.push(answer);
    }
    for call in [Call::Status, Call::SupplierList, Call::Snapshots] {
        let name = format!("{call:?}");
        let refused = stage.ask_now(call).expect("answered at once");
        let code = refused.err().map(|error| error.code);
        assert_eq!(code, Some(ErrorCode::Busy), "{name}");
    }
    let job = stage.begin_job();
    let cancelled = stage.ask_now(Call::Cancel { job });
    assert_eq!(cancelled, Some(Ok(Answer::Done)));
    assert!(
        stage.node.front.cancel(JobId(job.0)).is_err(),
        "the engine was told, and the job is over"
    );
    let key = "nickname".to_owned();
    let value = "Robin".to_owned();
    let set = stage.ask_now(Call::SettingsSet { key, value });
    assert_eq!(set, Some(Ok(Answer::Done)));
}

#[tokio::test]
async fn a_running_loop_takes_commands_while_questions_hang() {
    let mut stage = Stage::new().await;
    stage.hang();
    let Stage { node, calls, .. } = stage;
    let running = tokio::spawn(node.run());
    let ask = async |call| {
        let (reply, answer) = oneshot::channel();
        let sent = calls.send(PendingCall { call, reply }).await;
        sent.expect("the loop runs");
        let answered = tokio::time::timeout(JOIN_PATIENCE, answer).await;
        answered.expect("in time").expect("answered")
    };
    // It may be over before anybody can stop it: there is nothing to look through.
    let begun = ask(Call::Verify { sample: 1 }).await;
    assert!(matches!(begun, Ok(Answer::Job(_))), "{begun:?}");
    let key = "nickname".to_owned();
    let value = "Robin".to_owned();
    let set = ask(Call::SettingsSet { key, value }).await;
    assert_eq!(set, Ok(Answer::Done));
    running.abort();
}

#[tokio::test]
async fn a_status_shows_what_has_begun_since_it_was_asked_for() {
    let mut stage = Stage::new().await;
    let mut answer = stage.ask(Call::Status);
    let found = stage.status_found().await;
    let job = stage.begin_job();
    assert!(answer.try_recv().is_err(), "the loop gives it");
    stage.node.on_task_events(vec![found]);
    let Ok(Ok(Answer::Status(status))) = answer.try_recv() else {
        panic!("a status is given");
    };
    let jobs: Vec<_> = status.jobs.iter().map(|shown| shown.id).collect();
    assert_eq!(jobs, [job]);
}

#[tokio::test]
async fn a_status_that_was_found_as_the_node_ends_is_given() {
    let mut stage = Stage::new().await;
    let answer = stage.ask(Call::Status);
    let found = stage.status_found().await;
    let events = &stage.node.context.task_events;
    assert!(events.send(found).await.is_ok(), "there is room");
    stage.node.shut_down().await;
    assert!(matches!(answer.await, Ok(Ok(Answer::Status(_)))));
}

#[tokio::test]
async fn a_friend_who_was_recorded_as_the_node_ends_is_told_of() {
    let stage = Stage::new().await;
    let context = stage.node.context.clone();
    let invitation = Box::new(Invitation {
        network: "main".to_owned(),
        contact: Contact {
            identity: context.identity,
            device: context.device,
            addresses: Vec::new(),
        },
        nickname: "alice".to_owned(),
        certificate: context.secrets.certificate.clone(),
        token: [1; 16],
    });
    let (reply, _answer) = oneshot::channel();
    let made = TaskEvent::FriendMade { invitation, reply };
    assert!(
        context.task_events.send(made).await.is_ok(),
        "there is room"
    );
    stage.node.shut_down().await;
    let lines = context.catalogue.history(&HistoryQuestion::default(), 1);
    let lines = lines.expect("a catalogue");
    assert!(lines[0].message.contains("alice"), "{lines:?}");
}
