//! Every text, as it is posted; and what strangers may try to do with them.

mod attacks;
mod samples;
mod texts;
