//! People and devices that the tests speak about.

use bitdust_crypto::{DeviceKeys, HomeSecrets, Phrase, RootSecrets};
use bitdust_model::locator::Contact;
use bitdust_model::{Epoch, UnixMillis};

/// A person with one device.
pub(crate) struct Person {
    pub(crate) root: RootSecrets,
    pub(crate) home: HomeSecrets,
}

impl Person {
    pub(crate) fn new() -> Self {
        let root = RootSecrets::from_phrase(&Phrase::generate());
        let device = DeviceKeys::generate();
        let certificate = root.certify(&device, Epoch(0), "", UnixMillis(1));
        let home = HomeSecrets::of(&root, device, certificate, Epoch(1))
            .expect("the certificate belongs to the device");
        Self { root, home }
    }

    pub(crate) fn contact(&self) -> Contact {
        Contact {
            identity: self.root.identity(),
            device: self.home.device.device(),
            addresses: vec!["/ip4/192.0.2.7/tcp/4001".to_owned()],
        }
    }
}
