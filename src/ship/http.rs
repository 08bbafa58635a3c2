//! HTTP and TLS for all sinks: one client, with the machine's certificates, and no more bytes a second than allowed.

use std::{
    fs,
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, Once},
    task::{Context as Waker, Poll},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use object_store::{
    ClientOptions,
    client::{
        HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody, HttpService,
    },
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::time::{error::Elapsed, timeout};

use crate::pace::Pace;

/// A peer that does not take a connection within this time is away.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// It answers within this time after it has got the request.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Bytes that are sent at once.
const PIECE: usize = 16 << 10;

/// A client.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Paced>,
    pace: Arc<Pace>,
}

impl Http {
    /// One that trusts the machine's certificates, those of the web where the machine has none, and those of a file.
    pub(crate) fn new(ca: Option<&Path>, pace: Arc<Pace>) -> Result<Self> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another has none either.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let config = ClientConfig::builder().with_root_certificates(roots(ca)?).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT_WITHIN));
        tcp.set_nodelay(true);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        Ok(Self { client, pace })
    }

    /// Sends a request, and has the whole answer.
    pub(crate) async fn send(&self, request: hyper::Request<Vec<u8>>) -> Result<hyper::Response<Bytes>> {
        let answer = self.call(request.map(HttpRequestBody::from)).await;
        let answer = answer.map_err(|error| anyhow::anyhow!(crate::fault::sentence(&crate::fault::chain(&error))))?;
        let (parts, body) = answer.into_parts();
        let body = body.bytes().await.context("read the answer")?;
        Ok(hyper::Response::from_parts(parts, body))
    }
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    // One that cannot be understood is no reason to trust none.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = ca {
        let doing = || format!("read the certificates in {}", path.display());
        let text = fs::read(path).with_context(doing)?;
        let certificates: Vec<_> =
            CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().with_context(doing)?;
        ensure!(!certificates.is_empty(), "{}: there are none", doing());
        for certificate in certificates {
            roots.add(certificate).with_context(doing)?;
        }
    }
    Ok(roots)
}

#[async_trait::async_trait]
impl HttpService for Http {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let length = request.body().content_length();
        let within = ANSWER_WITHIN + self.pace.least(length as u64) + Duration::from_secs(length as u64 >> 16);
        let request =
            request.map(|body| Paced { body, left: length as u64, piece: None, pace: self.pace.clone(), waits: None });
        let late = |late: Elapsed| HttpError::new(HttpErrorKind::Timeout, late);
        let answer = timeout(within, self.client.request(request)).await.map_err(late)?.map_err(|error| {
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
            HttpError::new(kind, error)
        })?;
        let (parts, body) = answer.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(parts, HttpResponseBody::new(body)))
    }
}

impl object_store::client::HttpConnector for Http {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

/// Until something may go.
type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A body that goes as fast as it may.
struct Paced {
    body: HttpRequestBody,
    left: u64,
    piece: Option<Bytes>,
    pace: Arc<Pace>,
    waits: Option<(Bytes, Wait)>,
}

impl Body for Paced {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        loop {
            if let Some((_, waits)) = &mut self.waits {
                if waits.as_mut().poll(waker).is_pending() {
                    return Poll::Pending;
                }
                if let Some((bytes, _)) = self.waits.take() {
                    self.left = self.left.saturating_sub(bytes.len() as u64);
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
            }
            if let Some(mut piece) = self.piece.take() {
                let first = piece.split_to(piece.len().min(PIECE));
                self.piece = Some(piece).filter(|rest| !rest.is_empty());
                let (pace, length) = (self.pace.clone(), first.len());
                self.waits = Some((first, Box::pin(async move { pace.take(length).await })));
                continue;
            }
            match Pin::new(&mut self.body).poll_frame(waker) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) if !bytes.is_empty() => self.piece = Some(bytes),
                    _ => {}
                },
                other => return other,
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
