//! The world of engines in virtual time: network, disks, people.
