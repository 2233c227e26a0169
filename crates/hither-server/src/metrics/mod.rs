//! What operators see: counters, and the page on which Prometheus finds them.
//!
//! There is no registry. Each part of the gateway has a typed struct of its own: a worker's is
//! plain numbers that only its thread touches (`worker`), the control plane's are atomic
//! (`counts`). A page is made of copies when somebody asks for it (`page`, `text`). The names are in
//! one table (`catalogue`), against which documents and dashboard are checked.

mod catalogue;
mod counts;
mod echo;
mod histogram;
mod page;
mod process;
mod serve;
mod text;
mod worker;

pub use catalogue::{Kind, METRICS, Metric};

pub(crate) use counts::{
    ACCEPT, AUTHENTICATION_TIME, GRACE, HTTP_CONNECTIONS, HttpMetrics, IDLE_TIMEOUT, LifeMetrics,
    UNAUTHENTICATED_CONNECTIONS,
};
pub(crate) use echo::EchoTimer;
pub(crate) use page::WORKER_PATIENCE;
pub(crate) use process::thread_cpu;
pub(crate) use serve::MetricsServer;
pub(crate) use worker::WorkerMetrics;
