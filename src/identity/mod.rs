//! Who a cgroup is, and which cgroups people mean: unit, user, slice, container and pod, told by its
//! path (`of_path`), by its directory (`invocation_of`) and by the container runtimes (`Resolver`); and
//! the words by which people name them (`Target`). Knows nothing of rings and dumps.

mod choose;
mod container;
mod live;
mod matching;
mod path;
mod pod;
mod resolver;
mod runtime;
mod target;
mod unit;

pub use choose::{Candidate, Chosen, Unmatched};
pub use live::{cgroup_of, invocation_of};
pub use path::of_path;
pub use resolver::Resolver;
pub use runtime::Runtimes;
pub use target::Target;
