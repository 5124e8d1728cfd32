//! The REST calls over real connections, against a server that answers as each test says.

mod budget;
mod listing;
mod reading;
mod trouble;
mod writing;
