//! Fences of lanes that a recovery closed, for those who keep these lanes and have not been told yet.
//!
//! The root key signs them while the recovery runs; they are kept until each of them has taken them, whenever
//! it comes.

use bitdust_model::codec::Versioned;
use bitdust_model::locator::Fence;
use bitdust_model::message::Body;
use bitdust_model::{DeviceId, ErrorCode, Signed, decode, encode, limits};
use bitdust_store::{Catalogue, CatalogueError};
use serde::{Deserialize, Serialize};

use crate::shared::answer::refusal;
use crate::shared::context::Context;
use crate::shared::task::blocking;

/// Where they are kept in the catalogue.
pub(crate) const FENCES_KEY: &str = "untold_fences";

/// What is left to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UntoldFences {
    pub(crate) fences: Vec<Signed<Fence>>,
    /// Who has not taken all of them yet.
    pub(crate) holders: Vec<DeviceId>,
}

impl Versioned for UntoldFences {
    const KIND: &'static str = "untold fences";
    const BYTES_MAX: usize = limits::META_BYTES_MAX;
}

impl UntoldFences {
    pub(crate) fn kept(catalogue: &Catalogue) -> Result<Self, CatalogueError> {
        Ok(Self::read(catalogue.get_meta(FENCES_KEY)?))
    }

    /// What cannot be read is no fence.
    fn read(kept: Option<Vec<u8>>) -> Self {
        kept.and_then(|bytes| decode(&bytes).ok())
            .unwrap_or_default()
    }

    /// A holder has taken all.
    fn told(catalogue: &Catalogue, device: DeviceId) -> Result<(), CatalogueError> {
        catalogue.change_meta(FENCES_KEY, move |kept| {
            let mut untold = Self::read(kept);
            untold.holders.retain(|holder| *holder != device);
            if untold.holders.is_empty() {
                untold.fences.clear();
            }
            (encode(&untold), ())
        })
    }
}

/// Tells a supplier the fences that it has not taken yet, and notes that it has. One that it refuses keeps none of
/// the others from it, and it is told all of them when it comes again.
pub(crate) async fn tell_fences(context: &Context, device: DeviceId) -> Result<(), ErrorCode> {
    let catalogue = context.catalogue.clone();
    let untold = blocking(move || UntoldFences::kept(&catalogue)).await?;
    let untold = untold.map_err(|error| error.code())?;
    if !untold.holders.contains(&device) {
        return Ok(());
    }
    let mut told = Ok(());
    for fence in untold.fences {
        let answer = context.net.request(device, Body::FencePut(fence)).await;
        match answer {
            Ok(Body::Done) => {}
            Ok(answer) => told = Err(refusal(&answer)),
            Err(error) => told = Err(error.code()),
        }
    }
    told?;
    let catalogue = context.catalogue.clone();
    let noted = blocking(move || UntoldFences::told(&catalogue, device));
    noted.await?.map_err(|error| error.code())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shared::testing::TestHome;

    #[tokio::test]
    async fn fences_are_forgotten_when_all_holders_have_taken_them() {
        let home = TestHome::new().await;
        let catalogue = &home.context.catalogue;
        let now = crate::shared::context::wall_clock();
        let last = bitdust_model::HeadRef {
            sequence: bitdust_model::Sequence(7),
            hash: bitdust_model::HeadHash([1; 32]),
        };
        let [one, other] = [1, 2].map(|number| DeviceId([number; 32]));
        let mut untold = UntoldFences {
            fences: vec![home.root.fence(DeviceId([9; 32]), last, now)],
            holders: vec![one, other],
        };
        let kept = || UntoldFences::kept(catalogue).expect("read");
        assert_eq!(kept(), UntoldFences::default());
        catalogue
            .set_meta(FENCES_KEY, &encode(&untold))
            .expect("kept");
        // It is not there.
        let told = tell_fences(&home.context, one).await;
        assert!(told.is_err());
        assert_eq!(kept(), untold, "it is told when it comes");
        assert_eq!(tell_fences(&home.context, DeviceId([3; 32])).await, Ok(()));
        UntoldFences::told(catalogue, one).expect("noted");
        untold.holders = vec![other];
        assert_eq!(kept(), untold);
        UntoldFences::told(catalogue, other).expect("noted");
        assert_eq!(kept(), UntoldFences::default());
    }
}
