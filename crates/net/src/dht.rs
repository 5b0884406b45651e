//! The DHT: which records are stored, and the queries of this node that are under way.
//!
//! Nothing is stored or believed that `validate_record` refuses, and no record gives way to
//! an older one, nor to one of another signer, while it lives.

mod record;

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use bitdust_crypto::validate_record;
use bitdust_model::locator::{KeyedRecord, SignedRecord};
use bitdust_model::{DeviceId, DhtKey, Sequence, limits};
use libp2p::kad::store::{MemoryStore, RecordStore};
use libp2p::kad::{self, QueryId, QueryResult, Record};
use libp2p::{Multiaddr, PeerId};
use tracing::debug;

use crate::address;
use crate::behaviour::REPLICATION;
use crate::config::Scope;
use crate::error::NetError;
use crate::reply::{QueryReply, answer};

use record::{check_replaces, key_from_kad, read};
pub(crate) use record::{key_to_kad, value_of};

type Kad = kad::Behaviour<MemoryStore>;

/// The queries of this node that are under way.
pub(crate) struct Dht {
    network: String,
    scope: Scope,
    lifetime: Duration,
    queries: HashMap<QueryId, Query>,
}

/// A query with what it has found so far.
enum Query {
    Put {
        key: kad::RecordKey,
        reply: QueryReply<usize>,
    },
    Get {
        key: DhtKey,
        best: Option<(Sequence, SignedRecord)>,
        answers: usize,
        reply: QueryReply<Option<SignedRecord>>,
    },
    Provide {
        reply: QueryReply<()>,
    },
    Providers {
        found: BTreeSet<DeviceId>,
        reply: QueryReply<Vec<DeviceId>>,
    },
    Bootstrap {
        reply: QueryReply<()>,
    },
    /// Looks for the addresses of a device that is to be dialed.
    Lookup {
        peer: PeerId,
    },
}

/// Addresses that were found for a peer; none if the DHT knows none.
pub(crate) struct FoundPeer {
    pub(crate) peer: PeerId,
    pub(crate) addresses: Vec<Multiaddr>,
}

impl Dht {
    pub(crate) fn new(network: String, scope: Scope, lifetime: Duration) -> Self {
        Self {
            network,
            scope,
            lifetime,
            queries: HashMap::new(),
        }
    }

    pub(crate) fn put(&mut self, kad: &mut Kad, record: &KeyedRecord, reply: QueryReply<usize>) {
        match self.start_put(kad, record) {
            Ok(id) => drop(self.queries.insert(
                id,
                Query::Put {
                    key: key_to_kad(&record.key),
                    reply,
                },
            )),
            Err(error) => answer(reply, Err(error)),
        }
    }

    pub(crate) fn get(
        &mut self,
        kad: &mut Kad,
        key: DhtKey,
        reply: QueryReply<Option<SignedRecord>>,
    ) {
        if self.is_full() {
            return answer(reply, Err(NetError::Busy));
        }
        let id = kad.get_record(key_to_kad(&key));
        self.queries.insert(
            id,
            Query::Get {
                key,
                best: None,
                answers: 0,
                reply,
            },
        );
    }

    pub(crate) fn start_providing(&mut self, kad: &mut Kad, key: DhtKey, reply: QueryReply<()>) {
        if self.is_full() {
            return answer(reply, Err(NetError::Busy));
        }
        match kad.start_providing(key_to_kad(&key)) {
            Ok(id) => drop(self.queries.insert(id, Query::Provide { reply })),
            Err(_full) => answer(reply, Err(NetError::Busy)),
        }
    }

    pub(crate) fn providers(
        &mut self,
        kad: &mut Kad,
        key: DhtKey,
        reply: QueryReply<Vec<DeviceId>>,
    ) {
        if self.is_full() {
            return answer(reply, Err(NetError::Busy));
        }
        let id = kad.get_providers(key_to_kad(&key));
        self.queries.insert(
            id,
            Query::Providers {
                found: BTreeSet::new(),
                reply,
            },
        );
    }

    pub(crate) fn bootstrap(&mut self, kad: &mut Kad, reply: QueryReply<()>) {
        if self.is_full() {
            return answer(reply, Err(NetError::Busy));
        }
        match kad.bootstrap() {
            Ok(id) => drop(self.queries.insert(id, Query::Bootstrap { reply })),
            Err(kad::NoKnownPeers()) => answer(reply, Err(NetError::NoPeers)),
        }
    }

    /// Looks for addresses of a peer; false if no query could be started.
    pub(crate) fn look_up(&mut self, kad: &mut Kad, peer: PeerId) -> bool {
        if self.is_full() {
            return false;
        }
        let id = kad.get_closest_peers(peer);
        self.queries.insert(id, Query::Lookup { peer });
        true
    }

    /// Stores a record that somebody wants to have kept here, if it is valid and nothing
    /// newer is known.
    pub(crate) fn store_record(&self, kad: &mut Kad, record: Record) -> Result<(), NetError> {
        check_replaces(kad.store_mut(), &record, &self.network)?;
        let is_known = kad.store_mut().get(&record.key).is_some();
        if !is_known && kad.store_mut().records().len() >= limits::DHT_RECORDS_MAX {
            return Err(NetError::Busy);
        }
        kad.store_mut().put(record).map_err(|_full| NetError::Busy)
    }

    /// The own copy of what this node publishes is dropped once others have it, where the
    /// records of others already fill the store.
    fn evict_own_copy(kad: &mut Kad, key: &kad::RecordKey) {
        if kad.store_mut().records().len() > limits::DHT_RECORDS_MAX {
            kad.store_mut().remove(key);
        }
    }

    /// Stores the announcement of a provider, with those of its addresses that can be
    /// believed.
    pub(crate) fn store_provider(
        &self,
        kad: &mut Kad,
        mut record: kad::ProviderRecord,
    ) -> Result<(), NetError> {
        key_from_kad(&record.key)?;
        record
            .addresses
            .retain(|address| address::is_credible(self.scope, address));
        record.addresses.truncate(limits::ADDRESSES_MAX);
        kad.store_mut()
            .add_provider(record)
            .map_err(|_full| NetError::Busy)
    }

    /// Forgets the records that have expired.
    pub(crate) fn sweep(kad: &mut Kad) {
        let now = Instant::now();
        kad.store_mut().retain(|_, record| !record.is_expired(now));
    }

    /// Follows the queries; returns what a look-up found.
    pub(crate) fn progress(
        &mut self,
        kad: &mut Kad,
        id: QueryId,
        result: QueryResult,
        last: bool,
    ) -> Option<FoundPeer> {
        let query = self.queries.remove(&id)?;
        if let Query::Put { key, .. } = &query {
            Self::evict_own_copy(kad, key);
        }
        let (again, found) = self.step(query, result, last);
        match again {
            Some(Query::Get {
                best: Some((_, record)),
                answers,
                reply,
                ..
            }) if answers >= limits::DHT_ANSWERS_ENOUGH => {
                answer(reply, Ok(Some(record)));
                finish(kad, id);
            }
            Some(Query::Providers { found, reply }) if found.len() >= limits::DHT_PROVIDERS_MAX => {
                answer(reply, Ok(found.into_iter().collect()));
                finish(kad, id);
            }
            Some(query) => drop(self.queries.insert(id, query)),
            None => {}
        }
        found
    }

    /// One step of a query: what is left of it, and what a look-up found.
    fn step(
        &self,
        query: Query,
        result: QueryResult,
        last: bool,
    ) -> (Option<Query>, Option<FoundPeer>) {
        match (query, result) {
            (Query::Put { reply, .. }, QueryResult::PutRecord(result)) => {
                answer(reply, copies_of(result));
                (None, None)
            }
            (
                Query::Get {
                    key,
                    best,
                    answers,
                    reply,
                },
                QueryResult::GetRecord(result),
            ) => (self.step_get(key, best, answers, reply, result, last), None),
            (Query::Provide { reply }, QueryResult::StartProviding(result)) => {
                let result = result.map(drop).map_err(|error| timed_out(&error));
                answer(reply, result);
                (None, None)
            }
            (Query::Providers { mut found, reply }, QueryResult::GetProviders(result)) => {
                if let Ok(kad::GetProvidersOk::FoundProviders { providers, .. }) = result {
                    found.extend(
                        providers
                            .iter()
                            .filter_map(address::device_of)
                            .take(limits::DHT_PROVIDERS_MAX),
                    );
                }
                if last {
                    answer(reply, Ok(found.into_iter().collect()));
                    return (None, None);
                }
                (Some(Query::Providers { found, reply }), None)
            }
            (Query::Bootstrap { reply }, QueryResult::Bootstrap(result)) => {
                if last {
                    answer(reply, result.map(drop).map_err(|error| timed_out(&error)));
                    return (None, None);
                }
                (Some(Query::Bootstrap { reply }), None)
            }
            (Query::Lookup { peer }, QueryResult::GetClosestPeers(result)) => {
                (None, Some(self.found(peer, result)))
            }
            (query, _) => (Some(query), None),
        }
    }

    fn found(&self, peer: PeerId, result: kad::GetClosestPeersResult) -> FoundPeer {
        let peers = match result {
            Ok(kad::GetClosestPeersOk { peers, .. })
            | Err(kad::GetClosestPeersError::Timeout { peers, .. }) => peers,
        };
        let about_peer = peers.into_iter().filter(|found| found.peer_id == peer);
        let addresses = about_peer
            .flat_map(|found| found.addrs)
            .filter(|address| address::admits(self.scope, address));
        FoundPeer {
            peer,
            addresses: addresses.take(limits::ADDRESSES_MAX).collect(),
        }
    }

    fn step_get(
        &self,
        key: DhtKey,
        mut best: Option<(Sequence, SignedRecord)>,
        mut answers: usize,
        reply: QueryReply<Option<SignedRecord>>,
        result: kad::GetRecordResult,
        last: bool,
    ) -> Option<Query> {
        let mut ran_out = false;
        match result {
            Ok(kad::GetRecordOk::FoundRecord(found)) => match read(&found.record, &self.network) {
                Ok((found_key, sequence, signed)) if found_key == key => {
                    answers += 1;
                    if best.as_ref().is_none_or(|(known, _)| sequence > *known) {
                        best = Some((sequence, signed));
                    }
                }
                Ok(_) => debug!(%key, "A record came for another key"),
                Err(error) => debug!(%key, %error, "A record that is not valid came"),
            },
            Ok(kad::GetRecordOk::FinishedWithNoAdditionalRecord { .. })
            | Err(kad::GetRecordError::NotFound { .. }) => {}
            Err(kad::GetRecordError::Timeout { .. }) => ran_out = true,
        }
        if !last {
            return Some(Query::Get {
                key,
                best,
                answers,
                reply,
            });
        }
        let record = best.map(|(_, record)| record);
        answer(
            reply,
            if ran_out && record.is_none() {
                Err(timed_out(&"the query ran out of time"))
            } else {
                Ok(record)
            },
        );
        None
    }

    fn start_put(&self, kad: &mut Kad, record: &KeyedRecord) -> Result<QueryId, NetError> {
        if self.is_full() {
            return Err(NetError::Busy);
        }
        let believed = validate_record(record, &self.network);
        believed.map_err(|error| NetError::BadRecord {
            reason: error.to_string(),
        })?;
        let mut kept = Record::new(key_to_kad(&record.key), value_of(&record.record)?);
        kept.expires = Some(Instant::now() + self.lifetime);
        check_replaces(kad.store_mut(), &kept, &self.network)?;
        // All, so that the number of copies is known in the end whatever it is.
        kad.put_record(kept, kad::Quorum::All)
            .map_err(|_full| NetError::Busy)
    }

    fn is_full(&self) -> bool {
        self.queries.len() >= limits::DHT_QUERIES_MAX
    }
}

fn copies_of(result: kad::PutRecordResult) -> Result<usize, NetError> {
    let copies = match result {
        Ok(_) => REPLICATION.get(),
        Err(
            kad::PutRecordError::QuorumFailed { success, .. }
            | kad::PutRecordError::Timeout { success, .. },
        ) => success.len(),
    };
    if copies == 0 {
        Err(NetError::NoPeers)
    } else {
        Ok(copies)
    }
}

fn finish(kad: &mut Kad, id: QueryId) {
    if let Some(mut query) = kad.query_mut(&id) {
        query.finish();
    }
}

fn timed_out(error: &impl std::fmt::Display) -> NetError {
    NetError::Interrupted {
        reason: error.to_string(),
    }
}
