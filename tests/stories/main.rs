//! Stories of users, as far as they need neither root nor BPF.
//!
//! | file | the story |
//! |---|---|
//! | `dumps` | a dump file is read on any machine, also when it is torn, foreign or hostile |
//! | `fuzzed` | what the fuzzer throws, thrown here too: its corpus, changed in many ways |
//! | `memory` | a large dump is shown in no more memory than a small one |
//! | `parts` | of a large dump a part is shown as it stands in the whole; gaps stand where they are |
//! | `promises` | each test that tests/README.md names is there |
//! | `schema` | every line of JSON keeps to the schema that `explain --schema` prints |
//! | `socket` | the daemon's socket: answers, errors, and bad clients |
//! | `hostile` | dump files that were made to do harm, through every verb |
//! | `stored` | stored dumps are listed, found, described, exported, removed |
//! | `viewed` | a dump is looked through on a terminal; where there is none, that is said |
//! | `wheres` | where dumps and the daemon are is said once: by option, environment or configuration |
//! | `words` | what a call is, what a set may name, and what is said to a mistake |

mod dumps;
mod fuzzed;
mod hostile;
mod memory;
mod parts;
mod promises;
mod schema;
mod socket;
mod stored;
mod support;
mod viewed;
mod wheres;
mod words;
