//! In which ways the secrets of a home can be guarded.

/// How a home is to be guarded or opened.
#[derive(Clone, Copy)]
pub enum KeyGuard<'a> {
    /// By a passphrase through Argon2id.
    Passphrase(&'a str),
    /// By nothing but the permissions of the file, which holds its own key.
    File,
    /// By a random key in the keyring of the operating system.
    Keyring {
        /// What tells this home from others in the keyring.
        home_label: &'a str,
    },
}

/// How a home is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardKind {
    /// By a passphrase.
    Passphrase,
    /// By the permissions of the file alone.
    File,
    /// By the keyring of the operating system.
    Keyring,
}

impl std::fmt::Display for GuardKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "a passphrase",
            Self::File => "the permissions of its key file",
            Self::Keyring => "the keyring of the system",
        })
    }
}
