//! What stands in a request's path and query.

use std::time::Duration;

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::request::{CountWanted, Kind, Problem, StuckWanted, WhichDumps};

/// Seconds between two readings of what is counted.
const EVERY: std::ops::RangeInclusive<f64> = 0.05..=3600.0;

/// A query, if it is as it should be; `form` says how that is.
async fn query<T: DeserializeOwned, S: Send + Sync>(parts: &mut Parts, state: &S, form: &str) -> Result<T, Problem> {
    match Query::from_request_parts(parts, state).await {
        Ok(Query(query)) => Ok(query),
        Err(error) => Err(Problem::new(Kind::Wrong, format!("the query is {form}: {error}"))),
    }
}

/// The number in a path.
pub(super) struct Id(pub(super) u64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|path| path.0).unwrap_or_default();
        text.parse().map(Self).map_err(|_| {
            Problem::new(
                Kind::NotFound,
                format!("{text:?} is not the number of a recording: `traceloop ps` lists them"),
            )
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    target: Option<String>,
}

/// `?target=`
pub(super) struct WhichTracks(pub(super) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for WhichTracks {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let which: Which = query(parts, state, "?target=TARGET").await?;
        Ok(Self(which.target))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    target: String,
}

/// `?target=`, which may not be left out.
pub(super) struct OneTarget(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for OneTarget {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let named: Named = query(parts, state, "?target=TARGET").await?;
        Ok(Self(named.target))
    }
}

/// `?target=&slower=&wait=`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhatToFollow {
    pub(super) target: String,
    /// Nanoseconds.
    #[serde(default)]
    pub(super) slower: u64,
    #[serde(default)]
    pub(super) wait: bool,
}

impl<S: Send + Sync> FromRequestParts<S> for WhatToFollow {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        query(
            parts,
            state,
            "?target=TARGET&slower=NANOSECONDS&wait=true, of which the second and the third may be left out",
        )
        .await
    }
}

/// The id in a path.
pub(super) struct DumpId(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for DumpId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Path::<String>::from_request_parts(parts, state)
            .await
            .map(|path| Self(path.0))
            .map_err(|_| Problem::new(Kind::NotFound, "that is not the id of a dump: `traceloop list` lists them"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    after: Option<String>,
    r#match: Option<String>,
    last: Option<usize>,
}

/// `?after=&match=&last=`
pub(super) struct WhatToList(pub(super) WhichDumps);

impl<S: Send + Sync> FromRequestParts<S> for WhatToList {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let form = "?after=ID&match=MATCH&last=NUMBER, each of which may be left out";
        let Listed { after, r#match, last } = query(parts, state, form).await?;
        let matches = r#match.iter().flat_map(|words| words.split_whitespace()).map(str::to_owned).collect();
        Ok(Self(WhichDumps { after, matches, last, follow: false }))
    }
}

/// `?slower=`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HowToFollow {
    /// Nanoseconds.
    #[serde(default)]
    pub(super) slower: u64,
}

impl<S: Send + Sync> FromRequestParts<S> for HowToFollow {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        query(parts, state, "?slower=NANOSECONDS, which may be left out").await
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HowToCount {
    target: Option<String>,
    every: Option<f64>,
}

/// `?target=&every=`
pub(super) struct WhatToCount(pub(super) CountWanted);

impl<S: Send + Sync> FromRequestParts<S> for WhatToCount {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let form = "?target=TARGET&every=SECONDS, both of which may be left out";
        let how: HowToCount = query(parts, state, form).await?;
        let every = how.every.unwrap_or(1.0);
        if !EVERY.contains(&every) {
            let sentence = format!("the query's every is from {} to {} seconds", EVERY.start(), EVERY.end());
            return Err(Problem::new(Kind::Wrong, sentence));
        }
        Ok(Self(CountWanted { target: how.target, every: Duration::from_secs_f64(every) }))
    }
}

/// Seconds that a call must have lasted.
const LONGER: std::ops::RangeInclusive<f64> = 0.0..=1e9;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HowStuck {
    target: Option<String>,
    longer: Option<f64>,
}

/// `?target=&longer=`
pub(super) struct WhatIsStuck(pub(super) StuckWanted);

impl<S: Send + Sync> FromRequestParts<S> for WhatIsStuck {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let form = "?target=TARGET&longer=SECONDS, both of which may be left out";
        let how: HowStuck = query(parts, state, form).await?;
        let longer = how.longer.unwrap_or(5.0);
        if !LONGER.contains(&longer) {
            return Err(Problem::new(Kind::Wrong, "the query's longer is a number of seconds from 0 on"));
        }
        Ok(Self(StuckWanted { target: how.target, longer: Duration::from_secs_f64(longer) }))
    }
}
