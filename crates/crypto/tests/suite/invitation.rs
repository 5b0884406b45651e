//! Invitations: what survives typing, and what is not genuine.

use bitdust_crypto::InvitationError;
use bitdust_crypto::invitation::{from_text, to_text};
use bitdust_model::limits::INVITATION_TEXT_BYTES_MAX;
use bitdust_model::locator::Invitation;

use crate::world::Person;

#[test]
fn an_invitation_survives_the_way_through_text() {
    let alice = Person::new();
    let invitation = invite(&alice);
    let text = text_of(&alice, &invitation);
    assert!(text.starts_with("bitdust-"), "{text}");
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    assert!(text["bitdust-".len()..].chars().all(plain), "{text}");
    assert_eq!(from_text(&text), Ok(invitation));
}

#[test]
fn case_dashes_and_line_breaks_do_not_matter() {
    let alice = Person::new();
    let invitation = invite(&alice);
    let text = text_of(&alice, &invitation).to_uppercase();
    let groups: Vec<&str> = (0..text.len())
        .step_by(5)
        .map(|at| &text[at..text.len().min(at + 5)])
        .collect();
    let typed = format!("  {}\n", groups.join("-\n "));
    assert_eq!(from_text(&typed), Ok(invitation));
}

#[test]
fn a_slip_of_the_finger_is_told_from_a_forgery() {
    let alice = Person::new();
    let text = text_of(&alice, &invite(&alice));
    let mut mistyped = text.clone().into_bytes();
    mistyped[30] = if mistyped[30] == b'a' { b'b' } else { b'a' };
    let mistyped = String::from_utf8(mistyped).expect("ASCII");
    assert_eq!(from_text(&mistyped), Err(InvitationError::Mistyped));
    assert_eq!(
        from_text(&text[..text.len() - 8]),
        Err(InvitationError::Mistyped)
    );
    assert_eq!(from_text(&text[8..]), Err(InvitationError::NotAnInvitation));
    assert_eq!(from_text("bitdust-"), Err(InvitationError::Mistyped));
    assert_eq!(from_text(""), Err(InvitationError::NotAnInvitation));
    let giant = "a".repeat(INVITATION_TEXT_BYTES_MAX + 1);
    assert_eq!(from_text(&giant), Err(InvitationError::TooLong));
}

#[test]
fn an_altered_document_is_not_genuine_though_its_checksum_is_right() {
    let alice = Person::new();
    let mut signed = alice.home.device.signing().sign(&invite(&alice));
    let last = signed.bytes.len() - 1;
    signed.bytes[last] ^= 1;
    let refused = from_text(&to_text(&signed));
    assert!(
        matches!(refused, Err(InvitationError::NotGenuine(Some(_)))),
        "{refused:?}"
    );
}

#[test]
fn an_invitation_in_the_name_of_another_is_not_genuine() {
    let (alice, mallory) = (Person::new(), Person::new());
    let check = |change: fn(&mut Invitation, &Person, &Person)| {
        let mut invitation = invite(&mallory);
        change(&mut invitation, &alice, &mallory);
        let refused = from_text(&text_of(&mallory, &invitation));
        assert!(
            matches!(refused, Err(InvitationError::NotGenuine(_))),
            "{refused:?}"
        );
    };
    check(|invitation, alice, _| invitation.certificate = alice.home.certificate.clone());
    check(|invitation, alice, _| invitation.contact.device = alice.home.device.device());
    check(|invitation, alice, _| invitation.contact.identity = alice.root.identity());
    check(|invitation, alice, _| {
        invitation.contact = alice.contact();
        invitation.certificate = alice.home.certificate.clone();
    });
    check(|invitation, _, mallory| {
        let mut forged = mallory.home.certificate.clone();
        forged.signature.0[1] ^= 1;
        invitation.certificate = forged;
    });
}

#[test]
fn unbounded_names_and_addresses_are_refused() {
    let alice = Person::new();
    let check = |change: fn(&mut Invitation)| {
        let mut invitation = invite(&alice);
        change(&mut invitation);
        assert_eq!(
            from_text(&text_of(&alice, &invitation)),
            Err(InvitationError::Limit)
        );
    };
    check(|invitation| invitation.nickname = "a".repeat(65));
    check(|invitation| invitation.contact.addresses = vec![String::new(); 17]);
    check(|invitation| invitation.contact.addresses = vec!["a".repeat(257)]);
}

pub(crate) fn invite(person: &Person) -> Invitation {
    Invitation {
        network: "main".to_owned(),
        contact: person.contact(),
        nickname: "alice".to_owned(),
        certificate: person.home.certificate.clone(),
        token: [3; 16],
    }
}

fn text_of(person: &Person, invitation: &Invitation) -> String {
    to_text(&person.home.device.signing().sign(invitation))
}
