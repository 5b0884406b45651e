//! The rules of the protocol that can be put back to what they were before.

/// One rule of the protocol, each with the way things were before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A start forgets only packs that were never committed. Before: every pack with a spool entry
    /// and too few confirmations, the published ones too.
    StartKeepsPublished,
    /// P1: who is active stands in the signed set record. Before: a writer counted those out whom it
    /// did not see.
    ActiveIsSigned,
    /// P1: a recovery that read no lane record and heard of one set version says that a newer version
    /// may exist, and one that read a newer number says so. Before: k answers were enough for "the
    /// newest".
    RecoveryIsModest,
    /// P2: a set version is in force once a head that names it lies, with all its lists, at the
    /// quorum of the old version and of the new one; until then readers need k answers of each.
    /// Before: the record alone was enough.
    SetNeedsItsHead,
    /// P3: a holder counts for a head only with every list which that head reaches. Before: with
    /// those that are new in it.
    ListsOfOldCount,
    /// P3, as this model had it completed: lists lead on to older lists only while somebody who is
    /// there has them; else they are sealed anew. Before: as long as anybody has them.
    OldListsAreAtHand,
    /// P4: heads and lists lie in one home set. Before: in the set of the newest packs.
    OneHomeSet,
    /// P5: what k confirmed is named again. Before: one more was needed, and what had fewer was sealed
    /// again.
    KnownAtK,
    /// P5: a version is published by those who are there. Before: by as many as it settles at.
    PublishedByThoseThere,
    /// P6: a head brings the heads before it. Before: a supplier that had missed one refused the next.
    HeadsChain,
    /// P6: a head that was sent is never abandoned. Before: a start gave its number to another.
    SentIsKept,
    /// P9: an empty answer of a holder is "has lost it". Before: it counted among the k.
    EmptyIsLost,
    /// P20: a holder that returns is asked before it is sent anything. Before: it was sent what it
    /// seemed to lack.
    ReturnerIsAsked,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 13] = [
        Self::StartKeepsPublished,
        Self::ActiveIsSigned,
        Self::RecoveryIsModest,
        Self::SetNeedsItsHead,
        Self::ListsOfOldCount,
        Self::OldListsAreAtHand,
        Self::OneHomeSet,
        Self::KnownAtK,
        Self::PublishedByThoseThere,
        Self::HeadsChain,
        Self::SentIsKept,
        Self::EmptyIsLost,
        Self::ReturnerIsAsked,
    ];
}

/// Which rules are in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    without: Option<Rule>,
}

impl Rules {
    /// All of them.
    #[must_use]
    pub const fn all() -> Self {
        Self { without: None }
    }

    /// All but one, which is put back to what it was before.
    #[must_use]
    pub const fn without(rule: Rule) -> Self {
        Self {
            without: Some(rule),
        }
    }

    /// Whether a rule is in force.
    #[must_use]
    pub fn has(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}
