//! Hash maps and sets for names that an application chooses: ids of prompts, names in templates.
//!
//! Their hash function takes a few nanoseconds. Its seed is random in each process, but unlike that of the standard
//! library it is not meant to withstand an attacker who measures times. So keys of a stranger's data, such as those of a
//! JSON text, are kept in maps of the standard library.

use foldhash::fast::RandomState;

/// A hash map with a fast hash function.
pub type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// A hash set with a fast hash function.
pub type HashSet<T> = std::collections::HashSet<T, RandomState>;
