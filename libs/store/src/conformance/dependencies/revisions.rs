//! Lists of one time that are replaced by newer ones, in whatever order they come.

use super::{Bench, HOUR, MS, link};
use crate::dependencies::{DependencyLink, MOST_REVISIONS};
use futures::future::join_all;

pub(super) async fn run(bench: &Bench<'_>) {
    match bench.case {
        "revisions" => bench.revisions().await,
        "revisions-reversed" => bench.reversed().await,
        "revision-again" => bench.same_again().await,
        "revision-empty" => bench.emptied().await,
        "revisions-apart" => bench.apart().await,
        "revisions-at-once" => bench.at_once().await,
        case => panic!("there is no case {case}"),
    }
}

impl Bench<'_> {
    async fn replace(&self, at: u64, revision: u64, links: &[DependencyLink]) {
        let put = self.writer.replace_dependencies(at, revision, links).await;
        put.unwrap_or_else(|e| panic!("{}: failed to write the revision {revision}: {e}", self.case));
    }

    /// The links of a time are these, each once.
    async fn is(&self, at: u64, links: &[DependencyLink], what: &str) {
        (self.settle)().await;
        let mut links = links.to_vec();
        links.sort_unstable();
        assert_eq!(self.read(at, at + MS).await, links, "{}: {what}", self.case);
    }

    async fn revisions(&self) {
        let at = self.day + HOUR;
        for revision in 0..10 {
            let links = [link("a", "b", revision), link("b", "c", 1)];
            self.replace(at, revision, &links).await;
            self.is(at, &links, "the newest").await;
        }
        self.replace(at, 10, &[link("x", "y", 1)]).await;
        self.is(at, &[link("x", "y", 1)], "what a newer one lacks is gone").await;
        let most = MOST_REVISIONS - 1;
        self.replace(at, most, &[link("x", "y", 2)]).await;
        self.is(at, &[link("x", "y", 2)], "the last revision that can be").await;
        assert!(self.writer.replace_dependencies(at, most + 1, &[]).await.is_err(), "{}: one more", self.case);
    }

    async fn reversed(&self) {
        let at = self.day + HOUR;
        for revision in (0..10).rev() {
            self.replace(at, revision, &[link("a", "b", revision), link("old", "old", revision)]).await;
            self.is(at, &[link("a", "b", 9), link("old", "old", 9)], "the newest came first").await;
        }
        self.replace(at, 10, &[link("a", "b", 10)]).await;
        self.replace(at, 3, &[]).await;
        self.is(at, &[link("a", "b", 10)], "an older empty one").await;
    }

    async fn same_again(&self) {
        let (at, links) = (self.day + HOUR, [link("a", "b", 1), link("b", "c", 2)]);
        for _ in 0..5 {
            self.replace(at, 7, &links).await;
        }
        self.is(at, &links, "the same again").await;
        join_all((0..8).map(|_| self.replace(at, 8, &links))).await;
        self.is(at, &links, "several times at once").await;
        self.replace(at, 9, &[link("a", "b", 3)]).await;
        self.is(at, &[link("a", "b", 3)], "a newer one after that").await;
    }

    async fn emptied(&self) {
        let at = self.day + HOUR;
        self.replace(at, 1, &[]).await;
        self.is(at, &[], "nothing yet").await;
        self.replace(at, 2, &[link("a", "b", 1)]).await;
        self.is(at, &[link("a", "b", 1)], "something").await;
        self.replace(at, 3, &[]).await;
        self.is(at, &[], "nothing in its place").await;
        self.replace(at, 2, &[link("a", "b", 1)]).await;
        self.replace(at, 3, &[]).await;
        self.is(at, &[], "an older one after that").await;
        self.replace(at, 4, &[link("a", "b", 4)]).await;
        self.is(at, &[link("a", "b", 4)], "and a newer one").await;
    }

    /// Times have revisions of their own, and stand beside what was written without.
    async fn apart(&self) {
        let at = self.day + HOUR;
        self.put(at, &[link("plain", "b", 1)]).await;
        self.replace(at + MS, 5, &[link("a", "b", 5)]).await;
        self.replace(at + 2 * MS, 1, &[link("a", "b", 1)]).await;
        self.replace(at + 2 * MS, 2, &[DependencyLink { source: "skua".to_owned(), ..link("a", "b", 2) }]).await;
        (self.settle)().await;
        let want = [link("a", "b", 5), DependencyLink { source: "skua".to_owned(), ..link("a", "b", 2) }, link("plain", "b", 1)];
        let mut want = want.to_vec();
        want.sort_unstable();
        assert_eq!(self.read(at, at + HOUR).await, want, "{}", self.case);
    }

    /// From several writers, none of which waits for another.
    async fn at_once(&self) {
        for round in 0..5 {
            let at = self.day + HOUR + round * HOUR;
            // In no order.
            let revisions = (0..16).map(|i| i * 7 % 16);
            let links = |revision| [link("a", "b", revision), link("b", "c", revision)];
            join_all(revisions.map(async |revision| self.replace(at, revision, &links(revision)).await)).await;
            self.is(at, &links(15), "the newest of them").await;
        }
    }
}
