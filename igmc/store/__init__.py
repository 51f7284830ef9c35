"""The HDF5 store of subgraphs: checksummed shards that survive a crash. FORMAT.md is the specification."""

from igmc.store.fingerprint import content_digest, fingerprint, fingerprint_of, origin
from igmc.store.location import store_folder
from igmc.store.manifest import Manifest, check_fingerprint, read_manifest, write_manifest
from igmc.store.reader import CACHE_BYTES, StoreReader
from igmc.store.schema import DIGEST, encode
from igmc.store.shard import read_column, read_commit, shard_name
from igmc.store.verify import repair_store, verify_store
from igmc.store.writer import write_shard

__all__ = [
    "CACHE_BYTES",
    "DIGEST",
    "Manifest",
    "StoreReader",
    "check_fingerprint",
    "content_digest",
    "encode",
    "fingerprint",
    "fingerprint_of",
    "origin",
    "read_column",
    "read_commit",
    "read_manifest",
    "repair_store",
    "shard_name",
    "store_folder",
    "verify_store",
    "write_manifest",
    "write_shard",
]
