//! Plan, burst, deliver: a run from end to end. The only place that knows every stage.

mod begin;
mod behind;
mod brakes;
mod check;
mod destinations;
mod digest;
mod mail;
mod make;
mod making;
mod order;
mod pace;
mod parcel;
mod patience;
mod plan;
mod rehearsal;
mod run;
mod spool;
#[cfg(test)]
mod tests;

pub use brakes::brakes_on_plan;
pub use destinations::{Destinations, MAIL, Outlet, store_name};
pub use digest::{DigestOrder, tell_rests};
pub use order::{Makers, Order, OrderStore, Past, Press, Stop};
pub use pace::{Pace, Rates};
pub use plan::{Plan, PlannedEdition, plan, plan_over};
pub use rehearsal::{Rehearsed, RehearsedEdition, Sample, rehearse};
pub use run::{Progress, Ran, RunError, Step, hint_of, resume, run};
