//! Invitations as text: one short code that is typed, pasted or scanned.
//!
//! `"bitdust-" ‖ base32(postcard(Signed<Invitation>) ‖ first 4 bytes of its BLAKE3)`, in
//! lower case without padding. The checksum tells a slip of the finger from a forgery.

use bitdust_model::Signed;
use bitdust_model::limits::{INVITATION_TEXT_BYTES_MAX, NICKNAME_BYTES_MAX};
use bitdust_model::locator::Invitation;
use data_encoding::BASE32_NOPAD;

use crate::record::contact_is_bounded;
use crate::sign::{VerifyError, verify, verify_certificate};

const PREFIX: &str = "bitdust-";
/// The prefix as it is left when dashes are dropped and letters are raised.
const PREFIX_BARE: &[u8] = b"BITDUST";
const CHECKSUM_BYTES: usize = 4;

/// Why a text is no invitation that can be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    /// Far too long.
    #[error("this text is too long to be an invitation; copy only the code itself")]
    TooLong,
    /// It does not begin as invitations do.
    #[error("an invitation begins with \"{PREFIX}\"; copy the whole code")]
    NotAnInvitation,
    /// A character is missing, added or wrong.
    #[error("the invitation has a typing error or a part is missing; copy it again")]
    Mistyped,
    /// Copied well, but of a form not known here.
    #[error("the invitation was made by another version of this program")]
    Malformed,
    /// A signature in it is false, or it speaks for somebody else than its signer.
    #[error("the invitation is not genuine: ask for a new one over a way you trust")]
    NotGenuine(#[source] Option<VerifyError>),
    /// Its names or addresses break a limit.
    #[error("the invitation has more or longer addresses or names than allowed")]
    Limit,
}

/// Writes an invitation as text.
#[must_use]
pub fn to_text(invitation: &Signed<Invitation>) -> String {
    let mut bytes = postcard::to_allocvec(invitation).expect("plain data always serialises");
    let checksum = checksum(&bytes);
    bytes.extend_from_slice(&checksum);
    format!(
        "{PREFIX}{}",
        BASE32_NOPAD.encode(&bytes).to_ascii_lowercase()
    )
}

/// Reads an invitation and checks its signature, its certificate and its limits. Upper
/// case, white space and dashes do not matter. Network and token are the caller's to check.
pub fn from_text(text: &str) -> Result<Invitation, InvitationError> {
    let bytes = bytes_of_text(text)?;
    let signed: Signed<Invitation> = match postcard::take_from_bytes(&bytes) {
        Ok((signed, [])) => signed,
        Ok(_) | Err(_) => return Err(InvitationError::Malformed),
    };
    let invitation = verify(&signed).map_err(|error| match error {
        VerifyError::Decode(_) => InvitationError::Malformed,
        VerifyError::Forged { .. }
        | VerifyError::WrongSigner { .. }
        | VerifyError::Inconsistent { .. } => InvitationError::NotGenuine(Some(error)),
    })?;
    let certificate = verify_certificate(&invitation.certificate)
        .map_err(|error| InvitationError::NotGenuine(Some(error)))?;
    let contact = &invitation.contact;
    if certificate.device.0 != signed.signer
        || certificate.device != contact.device
        || certificate.identity != contact.identity
    {
        return Err(InvitationError::NotGenuine(None));
    }
    if !contact_is_bounded(contact) || invitation.nickname.len() > NICKNAME_BYTES_MAX {
        return Err(InvitationError::Limit);
    }
    Ok(invitation)
}

/// The encoded document without its checksum, which is right.
fn bytes_of_text(text: &str) -> Result<Vec<u8>, InvitationError> {
    if text.len() > INVITATION_TEXT_BYTES_MAX {
        return Err(InvitationError::TooLong);
    }
    let bare: String = text
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '-')
        .map(|character| character.to_ascii_uppercase())
        .collect();
    let Some(code) = bare.as_bytes().strip_prefix(PREFIX_BARE) else {
        return Err(InvitationError::NotAnInvitation);
    };
    let mut bytes = BASE32_NOPAD
        .decode(code)
        .map_err(|_| InvitationError::Mistyped)?;
    let Some(length) = bytes.len().checked_sub(CHECKSUM_BYTES) else {
        return Err(InvitationError::Mistyped);
    };
    let found = bytes.split_off(length);
    if found != checksum(&bytes) {
        return Err(InvitationError::Mistyped);
    }
    Ok(bytes)
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d, ..] = *blake3::hash(bytes).as_bytes();
    [a, b, c, d]
}
