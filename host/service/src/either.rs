//! Waits for the first of two futures.

use std::pin::pin;
use std::task::Poll;

/// The output of the first future to finish; prefers `first` when both are ready.
pub async fn first_ready<T>(first: impl Future<Output = T>, second: impl Future<Output = T>) -> T {
    let (mut first, mut second) = (pin!(first), pin!(second));
    std::future::poll_fn(move |context| match first.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(value),
        Poll::Pending => second.as_mut().poll(context),
    })
    .await
}
