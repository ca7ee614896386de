"""HTTP in and out: turns a request into a typed call, and an answer or a refusal into AWS JSON.

It must not know what an operation does, who runs containers, or how another AWS service is answered.
"""
