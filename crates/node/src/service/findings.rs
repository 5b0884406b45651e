//! What a start found of what is kept for others, in words.

use bitdust_api::history::Happening;
use bitdust_model::Severity;
use bitdust_store::supplier::Swept;

use crate::shared::driver::Driver;

/// Tells people what a start found and what it did.
pub(crate) fn tell_findings(driver: &mut Driver, swept: &Swept) {
    if swept.is_shut {
        let message = "What you keep for others cannot be opened: the disk refuses. Nothing of it can be \
                       given back and nothing new is taken until you start BitDust again; your own \
                       backups do not depend on it. Look at the disk, its free space and the rights of \
                       the folder";
        driver.notice(Severity::Problem, Happening::KeptShut, message);
    }
    if swept.is_away {
        let message = "The folder with what you keep for others is not there. Is its disk connected? \
                       Until it is back, nothing of it can be given back and nothing new is taken";
        driver.notice(Severity::Problem, Happening::KeptFolderAway, message);
    }
    if swept.is_replaced {
        let pieces = swept.adopted;
        let message = format!(
            "The list of what you keep for others was damaged. It was made anew from the disk, with \
             {}; your own backups do not depend on it",
            counted(pieces)
        );
        let happening = Happening::KeptListRebuilt { pieces };
        driver.notice(Severity::Warning, happening, message);
    }
    let pieces = swept.missing + swept.damaged;
    if pieces > 0 {
        let message = format!(
            "{} that you keep for others: missing from your disk or damaged. Check the disk; their \
             owners can send them again once they notice",
            counted(pieces)
        );
        let happening = Happening::KeptPiecesLost { pieces };
        driver.notice(Severity::Problem, happening, message);
    }
}

fn counted(pieces: u64) -> String {
    match pieces {
        1 => "1 piece".to_owned(),
        more => format!("{more} pieces"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(swept: Swept) -> Vec<Happening> {
        let mut driver = Driver::default();
        tell_findings(&mut driver, &swept);
        std::iter::from_fn(|| driver.next_notice())
            .map(|notice| notice.happening)
            .collect()
    }

    #[test]
    fn what_people_can_do_something_about_is_told() {
        let nothing = Swept {
            removed: 2,
            parts_removed: 1,
            graced: 3,
            ..Swept::default()
        };
        let replaced = Swept {
            is_replaced: true,
            adopted: 7,
            ..Swept::default()
        };
        let lost = Swept {
            missing: 2,
            damaged: 1,
            ..Swept::default()
        };
        let away = Swept {
            is_away: true,
            ..Swept::default()
        };
        let shut = Swept {
            is_shut: true,
            ..Swept::default()
        };
        assert_eq!(told(nothing), []);
        assert_eq!(told(shut), [Happening::KeptShut]);
        assert_eq!(told(replaced), [Happening::KeptListRebuilt { pieces: 7 }]);
        assert_eq!(told(lost), [Happening::KeptPiecesLost { pieces: 3 }]);
        assert_eq!(told(away), [Happening::KeptFolderAway]);
    }
}
