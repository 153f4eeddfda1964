//! The few words that everybody shares: months, quantities, digests, markets, safe names.

mod digest;
mod market;
mod month;
mod names;
mod period;
mod quantity;
mod ratio;

pub use digest::{Digest, EditionId};
pub use market::Market;
pub use month::{Month, MonthError};
pub use names::{ascii_name, file_name, header_text, percent_encoded, plain_text, readable_name, short_name};
pub use period::{Period, PeriodError, RANGE_MONTHS_MAX, Range};
pub use quantity::{Quantity, QuantityError};
pub use ratio::{Growth, Ratio};
