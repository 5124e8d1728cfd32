//! The body of an answer on its way out: without it where only its headers were asked for, and bounded
//! in what all of them together hold for those who read slowly.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use super::error::WebError;
use super::gate::Asking;

/// Bodies above this count, in bytes. They go out in pieces of this size.
const PIECE_BYTES: usize = 64 << 10;

/// What all bodies that count may hold together, in bytes.
const HELD_BYTES_MAX: usize = 64 << 20;

/// All answers that are on their way out.
#[derive(Clone, Default)]
pub(super) struct Answers(Arc<AtomicUsize>);

/// Whether the body of an answer is wanted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AnswerPart {
    Whole,
    HeadersOnly,
}

/// The body of an answer.
pub(super) struct AnswerBody {
    content: Content,
    _asking: Option<Asking>,
}

enum Content {
    /// Its length, and no more.
    Left(BodySize),
    Held {
        left: Bytes,
        _charge: Charge,
    },
    Other(BoxBody),
}

/// What an answer counts for, until it is dropped.
struct Charge {
    answers: Answers,
    bytes: usize,
}

impl Answers {
    /// An answer on its way out, which is being given until this body is dropped.
    ///
    /// # Errors
    /// [`WebError::Busy`] if too much is on its way out already.
    pub(super) fn answer(
        &self,
        body: BoxBody,
        wanted: AnswerPart,
        asking: Option<Asking>,
    ) -> Result<AnswerBody, WebError> {
        Ok(AnswerBody {
            content: self.content(body, wanted)?,
            _asking: asking,
        })
    }

    fn content(&self, body: BoxBody, wanted: AnswerPart) -> Result<Content, WebError> {
        if wanted == AnswerPart::HeadersOnly {
            return Ok(Content::Left(body.size()));
        }
        Ok(match body.try_into_bytes() {
            Ok(left) if left.len() > PIECE_BYTES => Content::Held {
                _charge: self.charge(left.len())?,
                left,
            },
            Ok(left) => Content::Other(BoxBody::new(left)),
            Err(body) => Content::Other(body),
        })
    }

    fn charge(&self, bytes: usize) -> Result<Charge, WebError> {
        let charge = Charge {
            answers: self.clone(),
            bytes,
        };
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > HELD_BYTES_MAX {
            return Err(WebError::Busy);
        }
        Ok(charge)
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.answers.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl MessageBody for AnswerBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        match &self.content {
            Content::Left(size) => *size,
            Content::Held { left, .. } => BodySize::Sized(left.len() as u64),
            Content::Other(body) => body.size(),
        }
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        match &mut self.content {
            Content::Left(_) => Poll::Ready(None),
            Content::Held { left, .. } if left.is_empty() => Poll::Ready(None),
            Content::Held { left, .. } => {
                let piece = left.split_to(PIECE_BYTES.min(left.len()));
                Poll::Ready(Some(Ok(piece)))
            }
            Content::Other(body) => Pin::new(body).poll_next(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;

    use super::*;

    fn body(len: usize) -> BoxBody {
        BoxBody::new(vec![b'x'; len])
    }

    #[tokio::test]
    async fn answers_hold_a_bounded_number_of_bytes_and_come_whole() {
        let answers = Answers::default();
        let all = HELD_BYTES_MAX / 4;
        let mut there: Vec<_> = (0..4)
            .map(|_| answers.answer(body(all), AnswerPart::Whole, None).unwrap())
            .collect();
        let refused = answers.answer(body(PIECE_BYTES + 1), AnswerPart::Whole, None);
        assert!(matches!(refused, Err(WebError::Busy)));
        assert!(
            answers
                .answer(body(PIECE_BYTES), AnswerPart::Whole, None)
                .is_ok()
        );
        let first = there.swap_remove(0);
        assert_eq!(first.size(), BodySize::Sized(all as u64));
        assert_eq!(to_bytes(first).await.unwrap().len(), all);
        assert!(answers.answer(body(all), AnswerPart::Whole, None).is_ok());
    }

    #[tokio::test]
    async fn headers_alone_tell_the_length_and_hold_nothing() {
        let answers = Answers::default();
        let answer = answers.answer(body(HELD_BYTES_MAX), AnswerPart::HeadersOnly, None);
        let answer = answer.unwrap();
        assert_eq!(answer.size(), BodySize::Sized(HELD_BYTES_MAX as u64));
        assert_eq!(answers.0.load(Ordering::Relaxed), 0);
        assert!(to_bytes(answer).await.unwrap().is_empty());
    }
}
