//! Filters of resources and orders, and reading a filter's matches page by page.

use crate::provider_api::OrderFilter;
use crate::provider_api::OrderState;
use crate::provider_api::ResourceFilter;
use crate::provider_api::ResourcePage;
use crate::provider_api::mutation::UnexpectedOutcome;
use crate::provider_api::replay::Replay;
use crate::provider_api::replay::Stop;

/// The most resources or orders of one query, and the most ids of one filter.
pub const LIMIT_MAX: u32 = 1_000;

/// Every resource of the account: one page of at most `limit`, after the first `offset`. Other filters start from this
/// one: `ResourceFilter { kinds, ..all(0, LIMIT_MAX) }`.
pub fn all(offset: u32, limit: u32) -> ResourceFilter {
    ResourceFilter {
        ids: Vec::new(),
        with_attached: false,
        only_primaries: false,
        kinds: Vec::new(),
        stages: Vec::new(),
        charging: None,
        expires_from: None,
        expires_until: None,
        offset,
        limit,
    }
}

/// The resources with these ids, at most [`LIMIT_MAX`].
pub fn by_ids(ids: Vec<String>) -> ResourceFilter {
    ResourceFilter { ids, ..all(0, LIMIT_MAX) }
}

/// Every order of the account in any state, at most [`LIMIT_MAX`]. Other filters start from this one.
pub fn all_orders() -> OrderFilter {
    OrderFilter {
        ids: Vec::new(),
        resources: Vec::new(),
        refunded_at: None,
        states: Vec::new(),
        order_kinds: Vec::new(),
        kinds: Vec::new(),
        created_from: None,
        created_until: None,
        paid_from: None,
        paid_until: None,
        whole_orders: false,
        offset: 0,
        limit: LIMIT_MAX,
    }
}

/// Every order of the account that was paid, at most [`LIMIT_MAX`].
pub fn paid_orders() -> OrderFilter {
    OrderFilter { states: vec![OrderState::Paid], ..all_orders() }
}

/// Reads the matches of a filter page by page; each page is one step of the request.
#[derive(Debug)]
pub struct Pages {
    filter: ResourceFilter,
    pages_left: usize,
    is_last: bool,
}

impl Pages {
    /// Starts at the filter's offset, and reads at most `pages_max` pages of the filter's limit.
    pub fn new(filter: ResourceFilter, pages_max: usize) -> Pages {
        Pages { filter, pages_left: pages_max, is_last: false }
    }

    /// The next page; `None` after the last match, or after the most pages.
    ///
    /// # Errors
    ///
    /// As [`Replay::resources`].
    pub fn next<'a, E: From<UnexpectedOutcome>>(
        &mut self,
        replay: &mut Replay<'a, E>,
    ) -> Result<Option<&'a ResourcePage>, Stop<E>> {
        if self.is_last || self.pages_left == 0 {
            return Ok(None);
        }
        let page = replay.resources(self.filter.clone())?;
        let read = u32::try_from(page.resources.len()).unwrap_or(u32::MAX);
        self.pages_left -= 1;
        self.filter.offset = self.filter.offset.saturating_add(read);
        self.is_last = read == 0 || self.filter.offset >= page.total;
        Ok(Some(page))
    }
}

#[cfg(test)]
mod tests {
    use crate::Charging;
    use crate::OnExpiry;
    use crate::Stage;
    use crate::provider_api::NextStep;
    use crate::provider_api::Outcome;
    use crate::provider_api::Query;
    use crate::provider_api::ResourcePage;
    use crate::provider_api::ResourceView;
    use crate::provider_api::Response;
    use crate::provider_api::filter::Pages;
    use crate::provider_api::filter::all;
    use crate::provider_api::mutation::UnexpectedOutcome;
    use crate::provider_api::replay::run;

    fn resource() -> ResourceView {
        ResourceView {
            id: "r-1".to_owned(),
            kind: "lamp".to_owned(),
            attached_to: None,
            region: String::new(),
            charging: Charging::Postpaid,
            stage: Stage::Active,
            started_at: 0,
            expires_at: None,
            term: None,
            price: None,
            on_expiry: OnExpiry::Lapse,
            renewals_left: None,
            renewal_term: None,
            attributes: Vec::new(),
            tags: Vec::new(),
            last_renewal: None,
        }
    }

    fn page(total: u32, count: usize) -> Outcome {
        Outcome::Resources(ResourcePage { total, resources: vec![resource(); count] })
    }

    /// Reads at most three pages of two resources after the first: the offset of the next page, or how many were read.
    fn read(outcomes: &[Outcome]) -> String {
        let step = run::<UnexpectedOutcome>(outcomes, |replay| {
            let (mut pages, mut count) = (Pages::new(all(1, 2), 3), 0);
            while let Some(page) = pages.next(replay)? {
                count += page.resources.len();
            }
            Ok(Response { status: 200, headers: Vec::new(), body: vec![u8::try_from(count).unwrap()] })
        });
        match step.unwrap() {
            NextStep::Respond(response) => format!("{} read", response.body[0]),
            NextStep::Query(queries) => {
                let [Query::Resources(filter)] = &*queries else { unreachable!() };
                format!("from {} at most {}", filter.offset, filter.limit)
            }
            NextStep::Execute(_) => unreachable!(),
        }
    }

    #[test]
    fn pages_follow_one_another_until_the_last_match() {
        assert_eq!(read(&[]), "from 1 at most 2");
        assert_eq!(read(&[page(4, 2)]), "from 3 at most 2");
        assert_eq!(read(&[page(4, 2), page(4, 1)]), "3 read");
    }

    #[test]
    fn pages_end_with_an_empty_page_or_at_the_most_pages() {
        assert_eq!(read(&[page(9, 0)]), "0 read");
        assert_eq!(read(&[page(9, 2), page(9, 2), page(9, 2)]), "6 read");
    }
}
