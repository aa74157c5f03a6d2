"""Delivery of bags to the web application: outbox, retries, dead letters.

A bag enters the outbox in the transaction that stores it, so none is forgotten. `sender` posts the
bags of each station in order, at least once; the idempotency key lets the application recognize a
repetition. `policy` and `answer` decide from a response whether a bag is delivered, retried or
rejected. Doubt means retry: a bag that arrives twice can be recognized, a lost one cannot.
"""
