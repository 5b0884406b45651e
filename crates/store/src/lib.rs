//! What this machine keeps: the catalogue, shards kept for others, the spool.
