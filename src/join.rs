//! Where diff, profile and measurement meet: how hot each change is, which workloads it reaches, and what it explains.
//!
//! Pure: takes what `source`, `evidence` and `measure` found.

mod ambient;
mod cover;
mod elsewhere;
mod explain;
mod heat;
mod reach;
mod side;

pub use ambient::{Ambient, ambient_of};
pub use cover::cover;
pub use elsewhere::Elsewhere;
pub use explain::{Explanation, explain};
pub use heat::{ItemHeat, heat_of};
pub use reach::{CONTROLS, Plan, Reach, Reached, plan, reach_of};
pub use side::{SideData, SideView};
