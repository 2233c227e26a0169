//! The web page.

use hither_auth::Mode;

use crate::harness::Harness;

#[tokio::test]
async fn pages_are_revalidated_by_entity_tag() {
    let harness = Harness::start(Mode::Required).await;
    for path in ["/", &format!("/s/{}", harness.id)] {
        let page = harness.request("GET", path).send(harness.address).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
        assert_eq!(page.header("vary"), Some("accept-encoding"));
        let etag = page.header("etag").unwrap();
        for (known, expect) in [(etag, 304), ("\"other\"", 200)] {
            let request = harness.request("GET", path).header("if-none-match", known);
            let again = request.send(harness.address).await;
            assert_eq!(again.status, expect);
            assert_eq!(again.header("etag"), Some(etag));
        }
    }
}

#[tokio::test]
async fn a_session_page_needs_a_name_that_can_be() {
    let harness = Harness::start(Mode::Required).await;
    for path in ["/s/aaaaaaaaaaaaaaaa", "/s/AAAAAAAAAAAAAAAA", "/s/x", "/s/..%2f"] {
        let response = harness.request("GET", path).send(harness.address).await;
        let can_be = path == "/s/aaaaaaaaaaaaaaaa";
        assert_eq!(response.status, if can_be { 200 } else { 404 }, "{path}");
    }
}
