#pragma once
// Shared by batch_sql*.c. In the texts: %S schema, %B backfill, %R range, %E error, %V event, all
// quoted; %N a name for the key of unfinished ranges, %K the lock under which the tables are made.
#include "batch_sql.h"

struct batch_sql_template {
    enum batch_sql_text which;
    const char *name, *text;
};

#define EQ "OPERATOR(pg_catalog.=)"
#define LT "OPERATOR(pg_catalog.<)"
#define GT "OPERATOR(pg_catalog.>)"
#define LE "OPERATOR(pg_catalog.<=)"
#define PLUS "OPERATOR(pg_catalog.+)"
#define MINUS "OPERATOR(pg_catalog.-)"
#define TIMES "OPERATOR(pg_catalog.*)"
#define CLOCK "pg_catalog.clock_timestamp()"

// Both end with an entry whose name is NULL.
extern const struct batch_sql_template batch_sql_of_workers[];
extern const struct batch_sql_template batch_sql_of_operators[];
