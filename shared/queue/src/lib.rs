//! Delivery of tickets and the request budget of Issue Mirror.
