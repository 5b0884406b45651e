//! `init` and `recover`: a new identity, or an old one on a new machine.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use bitdust_api::Call;
use bitdust_api::host::{MissedVersion, RecoverAs};
use bitdust_model::ErrorCode;
use bitdust_node::{InitOptions, NewestFound, RecoverOptions, Recovered, Scope, Unlock};
use serde_json::json;

use super::context::{Context, order};
use crate::escape::escaped;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::{Guard, Keys};
use crate::terminal;
use crate::text::{count, fingerprint, minute};

/// Words that are asked back.
const WORDS_ASKED_BACK: usize = 3;

pub(super) async fn init(
    mut context: Context,
    nickname: String,
    keys: Keys,
) -> Result<Exit, Failure> {
    prepare_passphrase(&mut context, keys)?;
    let options = InitOptions {
        nickname: nickname.clone(),
        guard: keys.guard.name().to_owned(),
    };
    let made = bitdust_node::init(&context.settings, &options)
        .map_err(|error| with_keyring_hint(Failure::from(error), keys))?;
    let object = json!({
        "words": made.words,
        "identity": made.identity,
        "device": made.device,
        "nickname": nickname,
        "keys": keys.guard.name(),
        "home": context.settings.home.to_string_lossy(),
    });
    context.output.result(&object, || {
        init_text(&context, &nickname, &made.identity, &made.words, keys)
    })?;
    if !context.output.is_json() && terminal::is_there() && ask_words_back(&made.words)? {
        confirm_phrase(&context).await?;
    }
    Ok(Exit::Done)
}

pub(super) async fn recover(
    mut context: Context,
    recover_as: RecoverAs,
    keys: Keys,
) -> Result<Exit, Failure> {
    prepare_passphrase(&mut context, keys)?;
    let phrase = terminal::read_phrase()?;
    let options = RecoverOptions {
        phrase,
        guard: keys.guard.name().to_owned(),
        recover_as,
    };
    let output = context.output;
    let told = Mutex::new(String::new());
    let progress = move |_, phase: &str| {
        if is_news(&told, phase) {
            tell_phase(output, phase);
        }
    };
    let found = bitdust_node::recover(&context.settings, &options, progress)
        .await
        .map_err(|error| with_keyring_hint(Failure::from(error), keys))?;
    context
        .output
        .result(&found, || recovered_text(&found, recover_as, keys))?;
    Ok(Exit::Done)
}

/// Whether a phase is another one than the last; it is the last from then on.
fn is_news(told: &Mutex<String>, phase: &str) -> bool {
    let mut last = told.lock().unwrap_or_else(PoisonError::into_inner);
    let is_news = *last != phase;
    phase.clone_into(&mut last);
    is_news
}

fn tell_phase(output: Output, phase: &str) {
    if output.is_json() {
        // If nobody reads the progress, recovery still goes on; the result is told or fails.
        let _ = output.object(&json!({ "event": "phase", "phase": phase }));
    } else {
        output.note(phase);
    }
}

/// Asks for a new passphrase where the keys shall rest under one and no file gave it.
fn prepare_passphrase(context: &mut Context, keys: Keys) -> Result<(), Failure> {
    let is_given = context.settings.unlock != Unlock::None;
    match (keys.guard, is_given) {
        (Guard::Passphrase, false) if !context.output.is_json() && terminal::is_there() => {
            context.settings.unlock = Unlock::Passphrase(terminal::ask_new_passphrase()?);
            Ok(())
        }
        (Guard::Passphrase, false) => Err(Failure::usage(
            "--keys passphrase needs a passphrase. Nothing was made; write one into a file and add --passphrase-file FILE.",
        )),
        (Guard::Keyring | Guard::File, true) => Err(Failure::usage(
            "--passphrase-file goes with --keys passphrase only. Nothing was made; add that, or leave the file out.",
        )),
        (Guard::Passphrase, true) | (Guard::Keyring | Guard::File, false) => Ok(()),
    }
}

/// Where the keyring failed and nobody chose it by name, says which other ways there are.
fn with_keyring_hint(mut failure: Failure, keys: Keys) -> Failure {
    let is_about_keyring =
        keys.guard == Guard::Keyring && failure.message.to_lowercase().contains("keyring");
    if is_about_keyring && !failure.message.contains("--keys") {
        let ways = "`--keys passphrase --passphrase-file F`, or `--keys file` if whoever can read your files may read the keys";
        let start = if keys.was_chosen {
            "Other ways are"
        } else {
            "Without a keyring, choose where the keys rest:"
        };
        let reason = failure.message.trim_end().trim_end_matches('.');
        failure.message = format!("{reason}. Nothing was made. {start} {ways}.");
    }
    failure
}

fn init_text(
    context: &Context,
    nickname: &str,
    identity: &str,
    words: &[String],
    keys: Keys,
) -> String {
    let mut text = format!(
        "This is a new identity: {} · {}\n\nThese {} words bring everything back. They are shown this once and kept nowhere:\n\n",
        escaped(nickname),
        fingerprint(identity),
        words.len(),
    );
    text.push_str(&numbered(words));
    text.push_str(
        "\nWrite them down on paper, in this order, and keep the paper away from this machine.\n\
         Whoever has them can read everything you back up. Without them and without this\n\
         machine nobody can bring it back; there is no other reset.\n\n\
         Next: `bitdust accept CODE` takes a friend's invitation, `bitdust folder add DIR` names a\n\
         folder, `bitdust backup` backs it up, `bitdust status` tells how well it is kept.\n",
    );
    if keys.guard == Guard::File {
        text.push_str(
            "\nWarning: the keys lie open in the home. Whoever can read your files can use them.\n",
        );
    }
    if context.settings.scope == Some(Scope::Loopback) {
        text.push_str(
            "\nThis is practice: the network is this machine only and keeps nothing safe.\n",
        );
    }
    text
}

/// The words in rows of four, each with its number.
fn numbered(words: &[String]) -> String {
    let mut text = String::new();
    for (place, word) in words.iter().enumerate() {
        let number = place + 1;
        let ends_row = number.is_multiple_of(4) || number == words.len();
        let cell = format!("  {number:>2}. {word:<10}");
        text.push_str(if ends_row { cell.trim_end() } else { &cell });
        if ends_row {
            text.push('\n');
        }
    }
    text
}

/// Whether the person could tell some of the words. Skipping is allowed.
fn ask_words_back(words: &[String]) -> Result<bool, Failure> {
    eprintln!(
        "\nOnce they are on paper, type {WORDS_ASKED_BACK} of them from there. An empty line skips this."
    );
    for place in random_places(words.len())? {
        loop {
            let typed = terminal::ask_line(&format!("Word {}: ", place + 1))?;
            if typed.is_empty() {
                eprintln!(
                    "Skipped. When the words are on paper: `bitdust set phrase_confirmed true`."
                );
                return Ok(false);
            }
            if typed.eq_ignore_ascii_case(&words[place]) {
                break;
            }
            eprintln!(
                "That is another word. Look again at number {} on the paper.",
                place + 1
            );
        }
    }
    Ok(true)
}

/// Some different places, in order.
fn random_places(words: usize) -> Result<Vec<usize>, Failure> {
    let mut places = vec![];
    while places.len() < WORDS_ASKED_BACK.min(words) {
        let number = getrandom::u32().map_err(|error| {
            Failure::new(
                ErrorCode::Internal,
                format!("The system gives no random numbers: {error}. The identity is made."),
            )
        })?;
        let place = usize::try_from(number).unwrap_or(0) % words;
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places.sort_unstable();
    Ok(places)
}

async fn confirm_phrase(context: &Context) -> Result<(), Failure> {
    let call = Call::SettingsSet {
        key: "phrase_confirmed".to_owned(),
        value: "true".to_owned(),
    };
    order(context, call).await?;
    context.output.note("The words are confirmed.");
    Ok(())
}

fn recovered_text(found: &Recovered, recover_as: RecoverAs, keys: Keys) -> String {
    let mut text = format!(
        "Welcome back: {} · {}. {}\n",
        escaped(&found.nickname),
        fingerprint(&found.identity),
        became(found, recover_as),
    );
    text.push_str(&newest_text(&found.newest));
    writeln!(
        text,
        "{} with {} in the newest.",
        count(found.snapshots, "version", "versions"),
        count(found.files, "file", "files")
    )
    .expect("writing to a string cannot fail");
    text.push_str("Next: `bitdust snapshots` lists the versions, `bitdust restore latest --to DIR` brings the files back.\n");
    if found.folders > 0 {
        let (are, they) = if found.folders == 1 {
            ("is", "it was")
        } else {
            ("are", "they were")
        };
        let folders = count(found.folders, "folder", "folders");
        writeln!(
            text,
            "{folders} {are} backed up from this machine once restored to where {they}, or once you ask for a backup by name (`bitdust backup FOLDER`)."
        )
        .expect("writing to a string cannot fail");
    }
    if recover_as == RecoverAs::Another && !found.is_restore_only {
        text.push_str("The old machine may go on backing up; if it is gone for good, say so at recovery with --old-machine-gone.\n");
    }
    if keys.guard == Guard::File {
        text.push_str(
            "Warning: the keys lie open in the home. Whoever can read your files can use them.\n",
        );
    }
    text
}

/// What this machine is now.
fn became(found: &Recovered, recover_as: RecoverAs) -> String {
    match (found.is_restore_only, recover_as) {
        (false, _) => {
            let device = fingerprint(&found.device);
            format!("This machine is now the device {device}.")
        }
        (true, RecoverAs::Reader) => {
            "This machine only restores: nobody was told of it, and nothing is backed up from it.".to_owned()
        }
        (true, RecoverAs::Successor | RecoverAs::Another) => {
            "You have as many machines as an identity can have, so this one only restores: nothing is backed up from it."
                .to_owned()
        }
    }
}

/// Which version was found, and what is known of newer ones.
fn newest_text(found: &NewestFound) -> String {
    let (Some(newest), Some(number)) = (found.newest, found.number) else {
        return "No version was found: this identity has not backed up anything yet.\n".to_owned();
    };
    let mut text = format!(
        "Newest found: no. {number} of {}, confirmed by {} of {} suppliers.\n",
        minute(newest),
        found.confirmed,
        found.of
    );
    let again = "Recover again into another home when more of them are online, if you need it.";
    let named = |missed: &MissedVersion| {
        let number = missed.number;
        let machine = if missed.is_of_another {
            " of another machine"
        } else {
            ""
        };
        let date = missed.written_at.map(|at| format!(" of {}", minute(at)));
        format!(
            "A newer version{machine}, no. {number}{}, exists",
            date.unwrap_or_default()
        )
    };
    if let Some(newer) = &found.newer {
        let named = named(newer);
        text.push_str(&format!(
            "{named} with suppliers who have not answered. {again}\n"
        ));
    }
    if let Some(unread) = &found.unread {
        let named = named(unread);
        text.push_str(&format!(
            "{named}, and its lists could not be had. {again}\n"
        ));
    }
    if found.index_missing > 0 {
        text.push_str(&format!(
            "Parts of the lists could not be had: some files cannot be restored from here. {again}\n"
        ));
    }
    if found.older_missing > 0 {
        text.push_str(&format!(
            "Some older versions could not be had and are not listed. {again}\n"
        ));
    }
    if !found.is_sure {
        text.push_str("Too few suppliers told a version to be sure that nothing newer exists.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use bitdust_model::UnixMillis;

    use super::*;

    #[test]
    fn newer_versions_are_named_beside_the_newest_that_was_found() {
        let minutes = |minutes: u64| UnixMillis(60_000 * minutes);
        let missed = |number, written_at| MissedVersion {
            number,
            written_at,
            is_of_another: false,
        };
        let found = NewestFound {
            newest: Some(minutes(1)),
            number: Some(16),
            confirmed: 2,
            of: 3,
            newer: Some(missed(18, None)),
            unread: Some(missed(17, Some(minutes(2)))),
            index_missing: 1,
            older_missing: 1,
            is_sure: false,
        };
        let text = newest_text(&found);
        let date = minute(minutes(2));
        for part in [
            "no. 16 of ".to_owned(),
            "confirmed by 2 of 3 suppliers".to_owned(),
            "A newer version, no. 18, exists with suppliers who have not answered.".to_owned(),
            format!("A newer version, no. 17 of {date}, exists, and its lists could not be had."),
            "some files cannot be restored from here".to_owned(),
            "Some older versions could not be had".to_owned(),
            "Too few suppliers told".to_owned(),
        ] {
            assert!(text.contains(&part), "{part}: {text}");
        }
        let nothing = newest_text(&NewestFound::default());
        assert!(
            nothing.contains("has not backed up anything yet"),
            "{nothing}"
        );
    }

    #[test]
    fn words_are_numbered_in_rows_of_four() {
        let words: Vec<String> = ["abandon", "ability", "able", "about", "above"]
            .map(String::from)
            .into();
        assert_eq!(
            numbered(&words),
            "   1. abandon      2. ability      3. able         4. about\n   5. above\n"
        );
    }

    #[test]
    fn a_phase_is_told_when_it_changes() {
        let told = Mutex::new(String::new());
        let news =
            ["seeking", "seeking", "loading", "seeking", ""].map(|phase| is_news(&told, phase));
        assert_eq!(news, [true, false, true, true, true]);
    }

    #[test]
    fn a_missing_keyring_names_the_other_ways() {
        let keys = Keys {
            guard: Guard::Keyring,
            was_chosen: false,
        };
        let failure = with_keyring_hint(
            Failure::new(ErrorCode::NotFound, "There is no keyring here."),
            keys,
        );
        assert!(
            failure
                .message
                .contains("--keys passphrase --passphrase-file F"),
            "{failure}"
        );
        assert!(failure.message.contains("--keys file"), "{failure}");
        let other = with_keyring_hint(
            Failure::new(ErrorCode::BadRequest, "The home has an identity."),
            keys,
        );
        assert_eq!(other.message, "The home has an identity.");
    }

    #[test]
    fn the_words_asked_back_are_different_ones() {
        for _ in 0..100 {
            let places = random_places(24).expect("random numbers");
            assert_eq!(places.len(), WORDS_ASKED_BACK);
            assert!(
                places.windows(2).all(|pair| pair[0] < pair[1]),
                "{places:?}"
            );
            assert!(places.iter().all(|place| *place < 24), "{places:?}");
        }
    }
}
