//! The host of a window, with real nodes on the loopback interface.

use std::path::Path;
use std::time::Duration;

use bitdust_api::call::Conflict;
use bitdust_api::host::GuardChoice;
use bitdust_api::view::StatusView;
use bitdust_api::{
    Answer, ApiError, Call, Event, HostAnswer, HostCall, HostEvent, HostState, HostView, JobOutcome,
};
use bitdust_model::ErrorCode;
use bitdust_model::status::Protection;
use bitdust_model::verdict::{FolderSaid, Level, Said};
use bitdust_node::{Host, Scope, Settings, text_of};
use tokio::sync::broadcast::Receiver;

const SOON: Duration = Duration::from_secs(60);

fn settings(folder: &Path) -> Settings {
    Settings {
        network: Some("host-test".to_owned()),
        scope: Some(Scope::Loopback),
        ..Settings::of_home(folder.join("bitdust"))
    }
}

async fn view(host: &Host, call: HostCall) -> HostView {
    match host.host(call).await.expect("the host answers") {
        HostAnswer::Host(view) => view,
        HostAnswer::Created(_) | HostAnswer::WordsAreRight(_) | HostAnswer::Recovered(_) => {
            panic!("the host answered something else")
        }
    }
}

async fn status(host: &Host) -> StatusView {
    let answer = host.call(Call::Status).await.expect("the node answers");
    let Answer::Status(status) = answer else {
        panic!("the node answered {answer:?}");
    };
    *status
}

/// Checks what is said of everything and of the only folder.
fn says(status: &StatusView, all: Said, folder: FolderSaid, level: Level) {
    let (told, own) = (&status.verdict.first, &status.folders[0].verdict);
    assert_eq!((told.says, told.level), (all, level));
    assert_eq!((own.says, own.level), (folder, level));
}

/// Waits for a status that is pushed and fits.
async fn pushed(
    events: &mut Receiver<HostEvent>,
    what: &str,
    fits: impl Fn(&StatusView) -> bool,
) -> StatusView {
    let found = tokio::time::timeout(SOON, async {
        loop {
            if let Ok(HostEvent::Node {
                event: Event::Status { status },
            }) = events.recv().await
                && fits(&status)
            {
                return *status;
            }
        }
    });
    found
        .await
        .unwrap_or_else(|_| panic!("{what}: not in time"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_made_its_words_asked_back_and_the_home_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = Host::start(settings(folder.path()), "1");
    assert_eq!(view(&host, HostCall::State).await.state, HostState::Absent);
    let refused = host.call(Call::Status).await;
    assert_eq!(
        refused.map_err(|error| error.code),
        Err(ErrorCode::Interrupted)
    );

    let create = HostCall::Create {
        nickname: " Robin ".to_owned(),
        guard: GuardChoice::Passphrase {
            passphrase: "correct horse".to_owned(),
        },
    };
    let made = host.host(create.clone()).await.expect("made");
    let HostAnswer::Created(made) = made else {
        panic!("the host answered something else");
    };
    assert_eq!((made.words.len(), made.fingerprint.len()), (24, 9));
    assert_eq!(view(&host, HostCall::State).await.state, HostState::Running);
    let again = host.host(create).await.map(drop);
    assert_eq!(
        again.map_err(|error| error.code),
        Err(ErrorCode::BadRequest)
    );
    let now = status(&host).await;
    assert_eq!(
        (now.nickname.as_str(), now.phrase_confirmed),
        ("Robin", false)
    );

    let confirm = |words: Vec<(u8, String)>| host.host(HostCall::ConfirmWords { words });
    let wrong = confirm(vec![(1, made.words[1].clone()), (2, made.words[1].clone())]).await;
    assert!(
        wrong == Ok(HostAnswer::WordsAreRight(false)),
        "a wrong word was taken"
    );
    assert!(!status(&host).await.phrase_confirmed);
    let right = confirm(vec![(3, format!(" {} ", made.words[2].to_uppercase()))]).await;
    assert!(
        right == Ok(HostAnswer::WordsAreRight(true)),
        "a right word was refused"
    );
    assert!(status(&host).await.phrase_confirmed);
    let drill = |phrase: String| host.call(Call::PhraseCheck { phrase });
    let right = drill(made.words.join(" ")).await;
    assert_eq!(right, Ok(Answer::PhraseIsRight(true)));
    let mut damaged = made.words.clone();
    damaged[4] = "nonsense".to_owned();
    assert!(drill(damaged.join(" ")).await.is_err());
    host.close().await;

    // The next start finds it locked; a wrong passphrase leaves it so.
    let host = Host::start(settings(folder.path()), "1");
    assert_eq!(view(&host, HostCall::State).await.state, HostState::Locked);
    let unlock = |passphrase: &str| {
        host.host(HostCall::Unlock {
            passphrase: passphrase.to_owned(),
        })
    };
    assert!(unlock("wrong").await.is_err());
    assert_eq!(view(&host, HostCall::State).await.state, HostState::Locked);
    assert!(unlock("correct horse").await.is_ok());
    assert_eq!(view(&host, HostCall::State).await.state, HostState::Running);
    host.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_host_joins_the_first_and_takes_over_when_it_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Host::start(settings(folder.path()), "1");
    let create = HostCall::Create {
        nickname: "Robin".to_owned(),
        guard: GuardChoice::File,
    };
    assert!(first.host(create).await.is_ok());
    let second = Host::start(settings(folder.path()), "1");
    assert_eq!(
        view(&second, HostCall::State).await.state,
        HostState::Attached
    );
    assert_eq!(status(&second).await.device, status(&first).await.device);
    let mut events = second.events();
    first.close().await;
    let took_over = tokio::time::timeout(SOON, async {
        loop {
            if let Ok(HostEvent::Host { view }) = events.recv().await
                && view.state == HostState::Running
            {
                return;
            }
        }
    });
    took_over.await.expect("the second holds the home now");
    assert_eq!(status(&second).await.nickname, "Robin");
    second.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_of_nonsense_fails_with_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let wanted = settings(folder.path());
    std::fs::create_dir_all(&wanted.home).expect("made");
    std::fs::write(wanted.home.join("keys"), b"nonsense").expect("written");
    let host = Host::start(wanted, "1");
    let HostState::Failed { error } = view(&host, HostCall::State).await.state else {
        panic!("it started");
    };
    assert!(!error.message.is_empty());
    host.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_practice_network_keeps_a_folder_and_gives_it_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let host = Host::start(settings(folder.path()), "1");
    let mut events = host.events();
    let began = view(&host, HostCall::PracticeStart).await;
    let practice = began.practice.expect("it runs");
    assert_eq!(practice.suppliers.len(), 6);
    let wait = "six people agreed";
    let contracted = |status: &StatusView| {
        status.scope == "loopback"
            && status.suppliers.iter().filter(|it| it.online).count() == 6
            && status.suppliers.iter().all(|it| it.contract_bytes > 0)
    };
    pushed(&mut events, wait, contracted).await;

    let source = folder.path().join("source");
    std::fs::create_dir(&source).expect("made");
    std::fs::write(source.join("letter"), "dear all").expect("written");
    let added = Call::FolderAdd {
        path: text_of(&source),
        excludes: Vec::new(),
        crosses_mounts: true,
    };
    assert!(matches!(host.call(added).await, Ok(Answer::Folder(_))));
    let folders = Vec::new();
    assert!(matches!(
        host.call(Call::Backup { folders }).await,
        Ok(Answer::Job(_))
    ));
    let safe =
        |status: &StatusView| status.protection == Protection::Safe && status.jobs.is_empty();
    let kept = pushed(&mut events, "it is stored safely", safe).await;
    assert_eq!(kept.folders.len(), 1);
    says(&kept, Said::Practice, FolderSaid::Practice, Level::Plain);

    check_browsing(&host)
        .await
        .expect("versions can be looked into");

    // One leaves, and everybody sees it; the file comes back all the same.
    let number = 1;
    let left = view(
        &host,
        HostCall::PracticeSupplier {
            number,
            runs: false,
        },
    )
    .await;
    assert!(!left.practice.expect("it runs").suppliers[0].runs);
    let away = |status: &StatusView| status.suppliers.iter().filter(|it| it.online).count() == 5;
    pushed(&mut events, "one is away", away).await;
    std::fs::remove_dir_all(&source).expect("lost");
    let bare = status(&host).await;
    says(&bare, Said::FolderAway, FolderSaid::Away, Level::Attention);
    let Ok(Answer::Folders(listed)) = host.call(Call::FolderList).await else {
        panic!("the node answered something else");
    };
    assert_eq!(listed[0].verdict, bare.folders[0].verdict, "one verdict");
    let restore = Call::Restore {
        target: "latest".to_owned(),
        only: vec!["letter".to_owned()],
        to: None,
        conflict: Conflict::Replace,
    };
    assert!(matches!(host.call(restore).await, Ok(Answer::Job(_))));
    assert_eq!(ended(&mut events).await, JobOutcome::Complete);
    let letter = std::fs::read_to_string(source.join("letter")).expect("it is back");
    assert_eq!(letter, "dear all");

    let forgotten = view(&host, HostCall::PracticeForget).await;
    assert_eq!(
        (forgotten.state, forgotten.practice, forgotten.has_practice),
        (HostState::Absent, None, false)
    );
    host.close().await;
}

async fn ended(events: &mut Receiver<HostEvent>) -> JobOutcome {
    let found = tokio::time::timeout(SOON, async {
        loop {
            if let Ok(HostEvent::Node {
                event: Event::Ended { report, .. },
            }) = events.recv().await
            {
                return report.outcome;
            }
        }
    });
    found.await.expect("the job ends")
}

async fn check_browsing(host: &Host) -> Result<(), ApiError> {
    let found = host
        .call(Call::Search {
            text: "ETTE".to_owned(),
            snapshot: None,
        })
        .await?;
    let Answer::Found(found) = found else {
        panic!("the node answered {found:?}");
    };
    assert_eq!((found.len(), found[0].path.as_str()), (1, "letter"));
    let target = format!("{}:letter", found[0].snapshot);
    let preview = host
        .call(Call::Preview {
            target: target.clone(),
        })
        .await?;
    assert!(
        matches!(&preview, Answer::Preview(bitdust_api::view::PreviewView::Text { text, is_cut: false }) if text == "dear all"),
        "{preview:?}"
    );
    let versions = host.call(Call::FileVersions { target }).await?;
    assert!(
        matches!(&versions, Answer::FileVersions(all) if all.len() == 1),
        "{versions:?}"
    );
    let history = host
        .call(Call::History {
            before: None,
            severity: None,
            text: None,
        })
        .await?;
    assert!(
        matches!(&history, Answer::History(page) if page.lines.len() > 6),
        "{history:?}"
    );
    Ok(())
}
