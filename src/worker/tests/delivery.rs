//! No byte of a log is lost or doubled, whatever becomes of the calls.

use std::time::Duration;

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use super::attempt;
use super::server::{Fault, Record, Server, TOKEN};
use crate::protocol::JobOutcome;
use crate::worker::client::ServerClient;
use crate::worker::delivery::{Delivered, Delivery, Pace};
use crate::worker::settings::Token;
use crate::worker::spool::Spool;

/// As [`Pace::for_lease`], but a thousand times as fast.
const FAST: Pace = Pace {
    flush: Duration::from_millis(1),
    beat: Duration::from_millis(10),
    lease: Duration::from_secs(60),
    retry_min: Duration::from_micros(100),
    retry_max: Duration::from_millis(1),
};

async fn deliver(faults: Vec<Fault>, pieces: &[Vec<u8>]) {
    let server = Server::start();
    server.change(|state| {
        state.faults = faults.into();
        state.attempts.insert(attempt(1), Record::default());
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let (mut log, reader) = Spool::create(&path, 1 << 30).await.unwrap();
    let client = ServerClient::new(&server.url(), &Token::new(TOKEN)).unwrap();
    let delivery = Delivery::new(client, attempt(1), FAST, reader);
    let stop = CancellationToken::new();
    let write = async {
        for piece in pieces {
            log.write(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        log.finish(JobOutcome::Passed);
    };
    let ((), delivered) = tokio::join!(write, delivery.run(&stop));
    assert_eq!(delivered, Delivered::Accepted);
    let (stored, reports) = server.change(|state| {
        let record = &state.attempts[&attempt(1)];
        (record.log.clone(), record.reports.clone())
    });
    assert_eq!(stored, pieces.concat());
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].log_bytes, stored.len() as u64);
    server.go_away().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_servers_log_is_what_was_written(
        faults in prop::collection::vec(
            prop::sample::select(vec![
                Fault::None, Fault::Refused, Fault::StoredAndRefused, Fault::HalfStored,
            ]),
            0..12,
        ),
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(deliver(faults, &pieces));
    }
}

#[tokio::test]
async fn a_large_log_goes_in_chunks() {
    let piece = (0..=255).cycle().take(700_001).collect::<Vec<u8>>();
    let faults = vec![Fault::None, Fault::StoredAndRefused, Fault::HalfStored];
    deliver(faults, &vec![piece; 5]).await;
}
