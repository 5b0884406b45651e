//! libp2p behind a client, events and an event loop.
