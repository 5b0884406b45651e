//! A head goes to a supplier together with those that link it to the newest one that the supplier keeps.
//!
//! So many at once as fit a packet; a supplier that missed more is brought forward in steps. Where those
//! that it missed are not kept here any more, the receipts of a quorum stand for them.

use bitdust_model::document::Signed;
use bitdust_model::head::{Head, HeadBundle, HeadReceipt};
use bitdust_model::limits::{HEADS_BETWEEN_BYTES_MAX, HEADS_BETWEEN_MAX};
use bitdust_model::message::Body;
use bitdust_model::set::SetRecord;
use bitdust_model::{DeviceId, ErrorCode, Sequence, decode};
use bitdust_store::CatalogueError;
use bitdust_store::catalogue::OwnHead;

use crate::shared::answer::refusal;
use crate::shared::context::Context;
use crate::shared::lane_heads::ask_tip;
use crate::shared::task::blocking;

/// What a signed document takes beside its own bytes.
const SIGNED_BYTES: usize = 128;

/// One head on its way to one supplier.
pub(super) struct Lineage<'a> {
    context: &'a Context,
    device: DeviceId,
    bundle: HeadBundle,
}

/// From where heads are sent.
struct Start {
    /// The newest that the supplier keeps, or that a quorum keeps, or the one before that.
    after: Sequence,
    /// Receipts of that quorum.
    receipts: Vec<Signed<HeadReceipt>>,
}

/// What goes in one request.
struct Portion {
    /// In front of those that it leads to, oldest first.
    between: Vec<OwnHead>,
    /// The last of this request; `None`: the head itself.
    last: Option<OwnHead>,
}

impl<'a> Lineage<'a> {
    pub(super) const fn new(context: &'a Context, device: DeviceId, bundle: HeadBundle) -> Self {
        Self {
            context,
            device,
            bundle,
        }
    }

    /// Gives the head with a number; `known`: the newest for which the supplier signed. Where that does
    /// not lead on, it is asked what it has. Its receipts are kept. Fails with `Forked` where the supplier
    /// keeps a head of this lane that is not known here, and with `Busy` where it missed more than can be told
    /// it before others have signed.
    pub(super) async fn put(
        &self,
        sequence: Sequence,
        known: Option<Sequence>,
    ) -> Result<(), ErrorCode> {
        // One that is new takes any.
        let after = known.unwrap_or(Sequence(sequence.0.saturating_sub(1)));
        let start = Start {
            after,
            receipts: Vec::new(),
        };
        match self.put_from(sequence, start).await {
            // Of a step that is said, too, where it came later than what is known of it here.
            Err(ErrorCode::Forked | ErrorCode::Stale) => {
                let start = self.look_up_start(sequence).await?;
                self.put_from(sequence, start).await
            }
            put => put,
        }
    }

    async fn put_from(&self, sequence: Sequence, mut start: Start) -> Result<(), ErrorCode> {
        loop {
            let Portion { between, last } = self.portion(start.after, sequence).await?;
            let between = between.into_iter().map(|head| head.head).collect();
            let receipts = std::mem::take(&mut start.receipts);
            let Some(last) = last else {
                let head = self.bundle.head.clone();
                let receipt = self.request(head, sequence, between, receipts).await?;
                return self.keep(sequence, receipt).await;
            };
            start.after = last.sequence;
            let step = self.request(last.head, last.sequence, between, receipts);
            self.keep(last.sequence, step.await?).await?;
        }
    }

    /// The heads that follow one on the way to another, as many as fit one request.
    async fn portion(&self, after: Sequence, to: Sequence) -> Result<Portion, ErrorCode> {
        let catalogue = self.context.catalogue.clone();
        // One more shows whether that is all.
        let found = blocking(move || catalogue.heads_between(after, to, HEADS_BETWEEN_MAX + 1));
        let mut between = found.await?.map_err(|error| error.code())?;
        let mut bytes = 0;
        let fits = |head: &&OwnHead| {
            bytes += head.head.bytes.len() + SIGNED_BYTES;
            bytes <= HEADS_BETWEEN_BYTES_MAX
        };
        let count = between.iter().take_while(fits).count();
        let is_all = count == between.len() && count <= HEADS_BETWEEN_MAX;
        if is_all {
            return Ok(Portion {
                between,
                last: None,
            });
        }
        // One head is far smaller than a packet.
        between.truncate(count.clamp(1, HEADS_BETWEEN_MAX));
        let last = between.pop();
        Ok(Portion { between, last })
    }

    /// Remembers what the supplier signed for.
    async fn keep(
        &self,
        sequence: Sequence,
        receipt: Signed<HeadReceipt>,
    ) -> Result<(), ErrorCode> {
        let (catalogue, device) = (self.context.catalogue.clone(), self.device);
        let kept = blocking(move || catalogue.put_head_receipt(device, sequence, &receipt));
        kept.await?.map_err(|error| error.code())
    }

    async fn request(
        &self,
        head: Signed<Head>,
        sequence: Sequence,
        between: Vec<Signed<Head>>,
        receipts: Vec<Signed<HeadReceipt>>,
    ) -> Result<Signed<HeadReceipt>, ErrorCode> {
        let hash = bitdust_crypto::head_hash(&head);
        let bundle = HeadBundle {
            head,
            ..self.bundle.clone()
        };
        let put = Body::HeadPut {
            bundle: Box::new(bundle),
            between,
            receipts,
        };
        let answer = self.context.net.request(self.device, put).await;
        let answer = answer.map_err(|error| error.code())?;
        let Body::HeadKept(receipt) = answer else {
            return Err(refusal(&answer));
        };
        let told = bitdust_crypto::verify_by(&receipt, &self.device.0)
            .map_err(|_| ErrorCode::NotAuthentic)?;
        if told.head != hash || told.sequence != sequence || told.lane != self.context.device {
            return Err(ErrorCode::NotAuthentic);
        }
        Ok(receipt)
    }

    /// Where to begin for a supplier that does not keep what is thought.
    async fn look_up_start(&self, sequence: Sequence) -> Result<Start, ErrorCode> {
        let tip = ask_tip(self.context, self.device).await?;
        let (newest, hash) = tip.ok_or(ErrorCode::Forked)?;
        let catalogue = self.context.catalogue.clone();
        let found = blocking(move || {
            let own = catalogue.head(newest)?;
            if own.as_ref().is_some_and(|own| own.hash != hash) {
                return Ok::<_, CatalogueError>(Err(ErrorCode::Forked));
            }
            if own.is_some() && catalogue.has_heads_between(newest, sequence)? {
                return Ok(Ok(Start {
                    after: newest,
                    receipts: Vec::new(),
                }));
            }
            // What lay between is not kept here any more, or was taken in from suppliers and never was.
            let published = catalogue.newest_published_head()?;
            if own.is_none() && published.is_none_or(|it| it.sequence <= newest) {
                return Ok(Err(ErrorCode::Forked));
            }
            let sets = catalogue.sets()?.into_iter();
            let sets = sets.filter_map(|set| decode::<SetRecord>(&set.record.bytes).ok());
            let quorums = sets.filter_map(|set| {
                let others = set.active().count().saturating_sub(1);
                Some(set.quorum()?.min(others))
            });
            let Some(quorum) = quorums.max() else {
                return Ok(Err(ErrorCode::TooMany));
            };
            if let Some(after) = catalogue.last_kept_by_many(sequence, quorum)?
                && after > newest
                && catalogue.has_heads_between(after, sequence)?
            {
                let receipts = catalogue.head_receipts(after)?;
                return Ok(Ok(Start { after, receipts }));
            }
            // Those of the head itself do as well, once there are enough.
            let receipts = catalogue.head_receipts(sequence)?;
            Ok(if receipts.len() < quorum {
                Err(ErrorCode::Busy)
            } else {
                let after = Sequence(sequence.0.saturating_sub(1));
                Ok(Start { after, receipts })
            })
        });
        found.await?.map_err(|error| error.code())?
    }
}
