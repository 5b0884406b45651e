//! `status`: health in a sentence, then figures.

use std::fmt::Write as _;

use bitdust_api::view::{ReachView, StatusView, VerdictView};
use bitdust_api::{Answer, Call};
use bitdust_model::ByteCount;
use bitdust_model::verdict::Said;

use super::context::{Context, close, open};
use super::folder::folder_line;
use super::supplier::supplier_line;
use crate::escape::escaped;
use crate::failure::{Exit, Failure};
use crate::text::{code, count, fingerprint, level, minute};

/// Lines of the history that are shown.
const NOTICES_SHOWN: usize = 5;

pub(super) async fn status(context: &Context) -> Result<Exit, Failure> {
    let mut connection = open(context).await?;
    // One that was started for this command has met nobody yet.
    let knows_peers = connection.is_attached();
    let answer = connection.call(Call::Status).await;
    let Answer::Status(view) = close(connection, answer.map_err(Failure::from)).await? else {
        return Err(Failure::odd_answer());
    };
    context.output.result(&view, || {
        status_text(&view, knows_peers).expect("writing to a string cannot fail")
    })?;
    Ok(Exit::Done)
}

/// `knows_peers`: the node runs for longer than this command.
fn status_text(view: &StatusView, knows_peers: bool) -> Result<String, std::fmt::Error> {
    let mut text = format!("{}\n", escaped(&view.sentence));
    if view.scope == "loopback" {
        text.push_str(
            "This is practice: the network is this machine only and keeps nothing safe.\n",
        );
    }
    if !view.phrase_confirmed && !says_words(&view.verdict) {
        text.push_str("Your 24 words are not confirmed yet. Once they are on paper: `bitdust set phrase_confirmed true`.\n");
    }
    writeln!(text, "\nOverall: {}", level(view.verdict.first.level))?;
    if let Some(oldest) = view.verdict.oldest_backup {
        let is_one = view.folders.len() == 1;
        let what = if is_one { "Backed up" } else { "Oldest backup" };
        writeln!(text, "{what}: {}", minute(oldest))?;
    }
    if let Some(head) = &view.head {
        let (written, confirmed, of) = (minute(head.written_at), head.confirmed, head.of);
        writeln!(
            text,
            "Newest version written {written}, confirmed by {confirmed} of {of} suppliers"
        )?;
    }
    if let Some(ReachView { online, spare }) = view.reach.filter(|_| knows_peers) {
        let restorable = match spare {
            None => "too few to restore everything".to_owned(),
            Some(0) => "enough to restore everything, and none to spare".to_owned(),
            Some(spare) => format!("enough to restore everything, and {spare} to spare"),
        };
        writeln!(text, "Online now: {online} suppliers, {restorable}")?;
    }
    writeln!(text, "\nFolders ({})", view.folders.len())?;
    text.extend(view.folders.iter().map(folder_line));
    match view.code {
        Some(chosen) => writeln!(
            text,
            "\nSuppliers ({}; {})",
            view.suppliers.len(),
            code(chosen)
        )?,
        None => writeln!(text, "\nSuppliers ({})", view.suppliers.len())?,
    }
    text.extend(view.suppliers.iter().map(supplier_line));
    figures(&mut text, view)?;
    if !view.notices.is_empty() {
        text.push_str("\nLately\n");
    }
    for notice in view.notices.iter().take(NOTICES_SHOWN) {
        writeln!(
            text,
            "  {}  {}",
            minute(notice.at),
            escaped(&notice.message)
        )?;
    }
    Ok(text)
}

/// Whether the sentence itself has the words in it.
fn says_words(verdict: &VerdictView) -> bool {
    let mut all = std::iter::once(&verdict.first).chain(&verdict.also);
    all.any(|finding| finding.says == Said::WordsUnchecked)
}

fn figures(text: &mut String, view: &StatusView) -> std::fmt::Result {
    writeln!(
        text,
        "\nStored: {} of contents, {} of lists, each before it is spread",
        ByteCount(view.packed_bytes),
        ByteCount(view.metadata_bytes)
    )?;
    if view.kept_bytes > 0 || view.metadata_kept_bytes > 0 {
        writeln!(
            text,
            "With your suppliers: {} of contents ({} would be the least), {} of lists",
            ByteCount(view.kept_bytes),
            ByteCount(view.coded_bytes),
            ByteCount(view.metadata_kept_bytes)
        )?;
    }
    if let Some(bytes) = view.metadata_bytes_per_file {
        writeln!(text, "Lists take {bytes} bytes for each file")?;
    }
    if view.spooled_bytes > 0 {
        writeln!(
            text,
            "Waiting here for suppliers that are away: {}",
            ByteCount(view.spooled_bytes)
        )?;
    }
    writeln!(
        text,
        "Space you share: {}, {} of it used",
        ByteCount(view.offered_bytes),
        ByteCount(view.used_by_others_bytes)
    )?;
    writeln!(
        text,
        "You: {} · {}, on the machine {}",
        escaped(&view.nickname),
        fingerprint(&view.identity),
        fingerprint(&view.device)
    )?;
    node(text, view)?;
    for address in &view.listening {
        writeln!(text, "  listening on {}", escaped(address))?;
    }
    Ok(())
}

/// How the keys are kept, and where it is connected.
fn node(text: &mut String, view: &StatusView) -> std::fmt::Result {
    let warning = if view.keys == "file" {
        " (warning: whoever can read your files can use them)"
    } else {
        ""
    };
    writeln!(text, "Keys: {}{warning}", escaped(&view.keys))?;
    let connected = match view.peers {
        0 => "connected to nobody yet".to_owned(),
        peers => format!(
            "connected to {}",
            count(u64::from(peers), "machine", "machines")
        ),
    };
    writeln!(
        text,
        "Network: {} ({}), {connected}",
        escaped(&view.network),
        escaped(&view.scope)
    )
}

#[cfg(test)]
mod tests {
    use bitdust_api::history::{Happening, HistoryLine};
    use bitdust_api::view::{FindingView, FolderState, FolderVerdictView, FolderView, Schedule};
    use bitdust_model::status::Protection;
    use bitdust_model::verdict::{Asks, FolderSaid, Level};
    use bitdust_model::{Code, Severity, UnixMillis};

    use super::*;

    const FEW: Protection = Protection::Stored {
        confirmed: 3,
        needed: 5,
    };

    fn finding(says: Said, level: Level) -> FindingView {
        FindingView {
            says,
            level,
            asks: Asks::Nothing,
            folders: vec![],
        }
    }

    fn folder(path: &str, says: FolderSaid, problems: u64) -> FolderView {
        let level = Level::Attention;
        FolderView {
            id: "00".repeat(32),
            path: path.to_owned(),
            excludes: vec![],
            crosses_mounts: true,
            verdict: FolderVerdictView { says, level },
            protection: FEW,
            last_backup: None,
            files: 0,
            bytes: 0,
            problems,
            schedule: Schedule::Manual,
            state: FolderState::Quiet,
            next_backup: None,
            watch_problem: None,
            unprotected: vec![],
        }
    }

    fn view() -> StatusView {
        let (confirmed, needed) = (3, 5);
        let says = Said::Stored { confirmed, needed };
        StatusView {
            sentence: "Everything is kept.".to_owned(),
            verdict: VerdictView {
                first: finding(says, Level::Attention),
                also: vec![],
                oldest_backup: None,
                within_reach: Some(true),
            },
            protection: FEW,
            enough: Some(2),
            nickname: "al\u{1b}ice".to_owned(),
            identity: "7f3a91c2".repeat(8),
            device: "00112233".repeat(8),
            network: "demo-1".to_owned(),
            scope: "loopback".to_owned(),
            keys: "file".to_owned(),
            phrase_confirmed: false,
            code: Code::new(2, 6).ok(),
            folders: vec![],
            suppliers: vec![],
            head: None,
            reach: Some(ReachView {
                online: 4,
                spare: Some(2),
            }),
            offered_bytes: 0,
            used_by_others_bytes: 0,
            packed_bytes: 1_000_000,
            coded_bytes: 3_000_000,
            kept_bytes: 3_010_000,
            metadata_bytes: 64_000,
            metadata_kept_bytes: 384_000,
            metadata_bytes_per_file: Some(96),
            spooled_bytes: 0,
            listening: vec!["/ip4/127.0.0.1/tcp/1".to_owned()],
            peers: 2,
            machines: vec![],
            jobs: vec![],
            notices: vec![HistoryLine {
                number: 1,
                at: UnixMillis(0),
                severity: Severity::Note,
                happening: Happening::Other,
                message: "a\nb".to_owned(),
            }],
            disk_free_bytes: None,
            survival: None,
            last_verify: None,
            is_clock_wrong: false,
            is_restore_only: false,
            is_replaced: false,
            is_behind: false,
            is_catching_up: false,
        }
    }

    #[test]
    fn a_node_for_one_command_says_nothing_of_who_is_there() {
        let told = |knows_peers| status_text(&view(), knows_peers).expect("it is written");
        assert!(told(true).contains("Online now"));
        assert!(!told(false).contains("Online now"), "it has met nobody yet");
    }

    #[test]
    fn health_comes_first_and_condemned_suppliers_are_told() {
        let text = status_text(&view(), true).expect("it is written");
        assert!(
            text.starts_with("Everything is kept.\nThis is practice"),
            "{text}"
        );
        for part in [
            "24 words are not confirmed",
            "Overall: needs attention",
            "any 2 of 6 suppliers",
            "4 suppliers, enough to restore everything, and 2 to spare",
            "warning",
            "a\\nb",
        ] {
            assert!(text.contains(part), "{part:?} is missing in {text}");
        }
    }

    #[test]
    fn who_is_connected_to_nobody_is_told_so() {
        let told = |peers| status_text(&StatusView { peers, ..view() }, true).expect("written");
        assert!(told(0).contains("(loopback), connected to nobody yet"));
        assert!(told(1).contains("(loopback), connected to 1 machine\n"));
    }

    #[test]
    fn the_verdict_is_told_of_everything_and_of_each_folder() {
        let mut view = view();
        view.verdict.oldest_backup = Some(UnixMillis(0));
        view.folders = vec![
            folder("/a", FolderSaid::Safe, 0),
            folder("/b", FolderSaid::Away, 2),
            folder("/c", FolderSaid::Problems { things: 1 }, 1),
        ];
        let text = status_text(&view, true).expect("it is written");
        let folders: Vec<&str> = text.lines().filter(|it| it.starts_with("  /")).collect();
        let wanted = [
            "  /a  safe",
            "  /b  not there now, 2 things in it could not be backed up",
            "  /c  stored, except for 1 thing that could not be backed up",
        ];
        assert_eq!(folders, wanted);
        assert!(text.contains("\nOldest backup: "), "{text}");

        let words = finding(Said::WordsUnchecked, Level::Attention);
        view.verdict.also.push(words);
        let text = status_text(&view, true).expect("it is written");
        assert!(!text.contains("24 words"), "the sentence has them already");
    }

    #[test]
    fn how_bad_it_is_has_words_of_its_own() {
        let mut view = view();
        for (level, words) in [
            (Level::Good, "good"),
            (Level::Plain, "nothing is called safe"),
            (Level::Working, "under way"),
            (Level::Attention, "needs attention"),
            (Level::Bad, "bad"),
        ] {
            view.verdict.first.level = level;
            let text = status_text(&view, true).expect("it is written");
            let mut overall = text.lines().filter(|line| line.starts_with("Overall: "));
            assert!(overall.any(|line| line.contains(words)), "{text}");
        }
    }

    #[test]
    fn what_is_stored_is_told_before_and_after_it_is_spread() {
        let text = status_text(&view(), true).expect("it is written");
        let from = text.find("Stored:").expect("figures");
        let lines: Vec<&str> = text[from..].lines().take(3).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn nothing_from_outside_gets_to_the_terminal_raw() {
        let text = status_text(&view(), true).expect("it is written");
        assert!(
            !text
                .chars()
                .any(|character| character.is_control() && character != '\n'),
            "{text:?}"
        );
    }

    #[test]
    fn words_of_the_workshop_do_not_reach_people() {
        let text = status_text(&view(), true)
            .expect("it is written")
            .to_lowercase();
        for word in ["shard", "erasure", "pack", "repository"] {
            assert!(!text.contains(word), "{word:?} is in {text}");
        }
    }
}
