return { url = "postgresql://postgres@/me1?host=/tmp/pgdev" }
