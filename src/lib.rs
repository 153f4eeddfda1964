//! pressrun prints Partner Center's Product Licenses report as an Excel workbook and a PDF, on a schedule.
//!
//! `ARCHITECTURE.md` has the map of the modules; each stands for one stage of the way of the data.

pub mod archive;
pub mod audience;
pub mod base;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod facts;
pub mod gate;
pub mod ledger;
pub mod pipeline;
pub mod render;
pub mod report;
pub mod schedule;
pub mod sections;
