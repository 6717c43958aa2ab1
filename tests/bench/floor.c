// The least that the same work costs through libpq: what luamig is measured against.
//   floor row URL            connects and reads one row
//   floor each URL FILE      runs the statements of a file, each paragraph in a transaction
//   floor pipeline URL FILE  runs all of them in one transaction, pipelined
//   floor stream URL FILE    reads one row, as who asks what is to be done, then runs each
//                            paragraph in a transaction, all of them in one pipeline
//   floor read FILE…         reads files (names on standard input, one a line)
// A file holds one statement a line; an empty line ends a paragraph.
#include <libpq-fe.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *what)
{
    fprintf(stderr, "floor: %s\n", what);
    exit(1);
}

static PGconn *connect_to(const char *url)
{
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK) {
        stop(PQerrorMessage(pg));
    }
    return pg;
}

static void run(PGconn *pg, const char *sql)
{
    PGresult *result = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        stop(PQerrorMessage(pg));
    }
    PQclear(result);
}

static void each(PGconn *pg, FILE *file)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int is_open = 0;
    while ((size = getline(&line, &room, file)) > 0) {
        line[size - 1] = '\0';
        if (size > 1) {
            if (!is_open) {
                run(pg, "BEGIN");
            }
            is_open = 1;
            run(pg, line);
        } else if (is_open) {
            run(pg, "COMMIT");
            is_open = 0;
        }
    }
    if (is_open) {
        run(pg, "COMMIT");
    }
    free(line);
}

static void take_results(PGconn *pg, int *waiting)
{
    while (*waiting > 0 && !PQisBusy(pg)) {
        PGresult *result = PQgetResult(pg);
        if (!result) {
            continue;
        }
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR) {
            stop(PQresultErrorMessage(result));
        }
        *waiting -= 1;
        PQclear(result);
    }
}

static void exchange(PGconn *pg, int *waiting, int timeout_ms)
{
    int unsent = PQflush(pg);
    struct pollfd fd = {.fd = PQsocket(pg), .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
    poll(&fd, 1, timeout_ms);
    if (!PQconsumeInput(pg)) {
        stop(PQerrorMessage(pg));
    }
    take_results(pg, waiting);
}

static void send_one(PGconn *pg, const char *sql, int *waiting)
{
    if (!PQsendQueryParams(pg, sql, 0, NULL, NULL, NULL, NULL, 0)) {
        stop(PQerrorMessage(pg));
    }
    *waiting += 1;
    if (*waiting % 16 == 0) {
        exchange(pg, waiting, 0);
    }
}

static void pipeline(PGconn *pg, FILE *file, int is_one)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int waiting = 0;
    PQsetnonblocking(pg, 1);
    PQenterPipelineMode(pg);
    send_one(pg, "BEGIN", &waiting);
    while ((size = getline(&line, &room, file)) > 0) {
        line[size - 1] = '\0';
        if (size > 1) {
            send_one(pg, line, &waiting);
        } else if (!is_one) {
            send_one(pg, "COMMIT", &waiting);
            send_one(pg, "BEGIN", &waiting);
        }
    }
    send_one(pg, "COMMIT", &waiting);
    PQpipelineSync(pg);
    waiting++;
    while (waiting > 0) {
        exchange(pg, &waiting, 1000);
    }
    free(line);
}

static void read_files(void)
{
    char *line = NULL;
    size_t room = 0, sum = 0;
    ssize_t size;
    while ((size = getline(&line, &room, stdin)) > 0) {
        line[size - 1] = '\0';
        FILE *file = fopen(line, "rb");
        char text[16384];
        size_t got;
        if (!file) {
            stop(line);
        }
        while ((got = fread(text, 1, sizeof text, file)) > 0) {
            sum += got;
        }
        fclose(file);
    }
    free(line);
    printf("%zu bytes\n", sum);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "read") == 0) {
        read_files();
        return 0;
    } else if (argc == 3 && strcmp(argv[1], "row") == 0) {
        PGconn *pg = connect_to(argv[2]);
        run(pg, "SELECT version_num FROM luamig.version");
        PQfinish(pg);
        return 0;
    } else if (argc != 4) {
        stop("usage: floor row URL | each|pipeline|stream URL FILE | read < NAMES");
    }
    PGconn *pg = connect_to(argv[2]);
    FILE *file = fopen(argv[3], "r");
    if (!file) {
        stop(argv[3]);
    }
    if (strcmp(argv[1], "each") == 0) {
        each(pg, file);
    } else if (strcmp(argv[1], "pipeline") == 0) {
        pipeline(pg, file, 1);
    } else {
        run(pg, "SELECT pg_catalog.to_regclass('luamig.version')");
        pipeline(pg, file, 0);
    }
    fclose(file);
    PQfinish(pg);
    return 0;
}
