//! What this crate promises to the others, checked through its public names.

mod garbage;
mod invitation;
mod keystore;
mod locator;
mod pack;
mod phrase;
mod record;
mod sealed_box;
mod secrets;
mod sign;
mod world;
