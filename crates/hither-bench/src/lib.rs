//! Honest load test for web terminals, with its own floor.
