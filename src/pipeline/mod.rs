//! Plan, burst, deliver: a run from end to end. The only place that knows every stage.

mod begin;
mod behind;
mod check;
mod destinations;
mod mail;
mod make;
mod order;
mod pace;
mod parcel;
mod plan;
mod run;
mod spool;
#[cfg(test)]
mod tests;

pub use destinations::{Destinations, MAIL, Outlet, store_name};
pub use order::{Makers, Order, OrderStore, Press, Stop};
pub use pace::{Pace, Rates};
pub use plan::{Plan, PlannedEdition, plan, plan_over};
pub use run::{Progress, Ran, RunError, Step, resume, run};
