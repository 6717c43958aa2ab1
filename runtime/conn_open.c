// Connecting: what libpq would misread in a URL, the wait that a signal ends, the first settings.
#include "conn_private.h"

#include "clock.h"
#include "interrupt.h"

#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 30000 };

// libpq 15 takes an unescaped @ or / of a password for the end of the user part, connects to a host
// of that name and shows the tail of the password in its error. Such a URL is refused unread.
static bool url_is_sound(const char *url, struct fault *fault)
{
    const char *start = strstr(url, "://");
    if (!start) {
        return true;
    }
    start += 3;
    size_t authority = strcspn(start, "/?#");
    size_t before_query = strcspn(start, "?");
    const char *at = memchr(start, '@', strlen(start));
    const char *second = at ? strchr(at + 1, '@') : NULL;
    bool at_in_path = at && at >= start + authority && at < start + before_query;
    bool two = second && second < start + before_query;
    bool bad_port = false;
    if (!at || at >= start + authority) { // user:pa?ss@host: the port is no number
        const char *colon = memchr(start, ':', authority);
        bool bracketed = *start == '[';
        bad_port = colon && !bracketed && memchr(start, ',', authority) == NULL &&
                   strspn(colon + 1, "0123456789") < (size_t)(start + authority - colon - 1);
    }
    if (!at_in_path && !two && !bad_port) {
        return true;
    }
    fault_set(fault, FAULT_CONFIG,
              "the database URL cannot be read: a character of its password or user must be "
              "percent-encoded");
    fault_text(&fault->hint, "write @ as %%40, / as %%2F, : as %%3A, ? as %%3F, # as %%23, %% as "
                             "%%25; or leave the password out of the URL and set PGPASSWORD");
    return false;
}

bool conn_info_is_sound(const char *url, struct fault *fault)
{
    if (!url) {
        return true;
    }
    if (!url_is_sound(url, fault)) {
        return false;
    }
    char *text = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &text);
    if (options) {
        PQconninfoFree(options);
        return true;
    }
    // libpq quotes what it could not read, which may be (part of) a password; the name of a
    // parameter behind the last @ is none.
    const char *query = strchr(url, '?');
    bool harmless = text && strstr(text, "query parameter") && query && !strchr(query, '@');
    const char *quote = text && !harmless ? strchr(text, '"') : NULL;
    int size = text ? (int)(quote ? (size_t)(quote - text) : strcspn(text, "\n")) : 0;
    while (size > 0 && (isspace((unsigned char)text[size - 1]) || text[size - 1] == ':')) {
        size--;
    }
    fault_set(fault, FAULT_CONFIG, "the database URL cannot be read: %.*s", size, text ? text : "");
    if (text && strstr(text, "percent")) {
        fault_text(&fault->hint, "a %% of the password or user is written %%25");
    }
    if (text && strstr(text, "search_path")) {
        fault_text(&fault->hint, "libpq knows no search_path in a URL; set search_path in the "
                                 "config, or use ?options=-csearch_path%%3Dapp");
    }
    PQfreemem(text);
    return false;
}

static int64_t timeout_of(PGconn *pg, int asked_ms)
{
    if (asked_ms > 0) {
        return asked_ms;
    }
    int64_t timeout_ms = TIMEOUT_MS;
    PQconninfoOption *options = PQconninfo(pg);
    for (PQconninfoOption *each = options; each && each->keyword; each++) {
        if (strcmp(each->keyword, "connect_timeout") == 0 && each->val && atoi(each->val) > 0) {
            timeout_ms = (int64_t)atoi(each->val) * 1000;
        }
    }
    PQconninfoFree(options);
    return timeout_ms;
}

static const char *state_of_connection_error(const char *text)
{
    static const struct {
        const char *phrase, *sqlstate;
    } known[] = {
        {"password authentication failed", "28P01"},
        {"no password supplied", "28P01"},
        {"Peer authentication failed", "28000"},
        {"no pg_hba.conf entry", "28000"},
        {"too many connections", "53300"},
        {"too many clients", "53300"},
        {"remaining connection slots", "53300"},
        {"the database system is starting up", "57P03"},
        {"the database system is shutting down", "57P03"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strstr(text, known[i].phrase)) {
            return known[i].sqlstate;
        }
    }
    if (strstr(text, "database \"") && strstr(text, "does not exist")) {
        return "3D000";
    }
    if (strstr(text, "role \"") && strstr(text, "does not exist")) {
        return "28000";
    }
    return "";
}

static void hint_of_connection_error(PGconn *pg, struct fault *fault)
{
    const char *state = fault->sqlstate;
    const char *text = fault->message;
    if (strcmp(state, "28P01") == 0) {
        fault_text(&fault->hint,
                   "role %s; the password comes from the URL, PGPASSWORD or the password file",
                   PQuser(pg) ? PQuser(pg) : "?");
    } else if (strcmp(state, "3D000") == 0) {
        fault_text(&fault->hint, "create it with: createdb %s", PQdb(pg) ? PQdb(pg) : "NAME");
    } else if (strcmp(state, "57P03") == 0) {
        fault_text(&fault->hint, "wait for it with --wait 30s");
    } else if (strstr(text, "Connection refused") || strstr(text, "No such file")) {
        fault_text(&fault->hint, "is the server running there? Wait for one that is starting with "
                                 "--wait 30s, or use url = \"embedded\"");
    }
}

static void connection_fault(PGconn *pg, struct fault *fault)
{
    const char *text = PQerrorMessage(pg);
    size_t size = text ? strlen(text) : 0;
    while (size > 0 && isspace((unsigned char)text[size - 1])) {
        size--;
    }
    fault_set(fault, FAULT_CONNECTION, "%.*s", (int)size, text ? text : "");
    if (fault->message) {
        const char *state = state_of_connection_error(fault->message);
        memcpy(fault->sqlstate, state, strlen(state) + 1);
        hint_of_connection_error(pg, fault);
    }
}

// What libpq calls next; the socket is ready for it.
struct conn_start {
    PGconn *pg;
    PostgresPollingStatusType status;
};

static bool connection_await(struct conn_start *start, int64_t timeout_ms, struct fault *fault)
{
    PGconn *pg = start->pg;
    int64_t end = clock_now_ms() + timeout_ms;
    unsigned seen = interrupt_count();
    PostgresPollingStatusType status = start->status;
    while (status != PGRES_POLLING_OK) {
        int64_t left = end - clock_now_ms();
        if (status == PGRES_POLLING_FAILED) {
            connection_fault(pg, fault);
            return false;
        }
        if (interrupt_count() != seen) {
            return fault_set(fault, FAULT_INTERRUPTED, "interrupted while connecting");
        }
        if (left <= 0) {
            fault_set(fault, FAULT_CONNECTION, "no answer from %s port %s within %lld s",
                      PQhost(pg) ? PQhost(pg) : "the server", PQport(pg) ? PQport(pg) : "?",
                      (long long)timeout_ms / 1000);
            return false;
        }
        conn_poll(pg, status == PGRES_POLLING_WRITING, left > 500 ? 500 : (int)left);
        status = PQconnectPoll(pg);
    }
    return true;
}

static struct conn *conn_new(PGconn *pg)
{
    struct conn *conn = calloc(1, sizeof *conn);
    if (conn) {
        conn->pg = pg;
        conn->interrupts_seen = 0;
        PQsetNoticeReceiver(pg, conn_notice_receive, conn);
    }
    return conn;
}

static bool finish_open(PGconn *pg, struct conn **out, struct fault *fault)
{
    if (PQserverVersion(pg) < 140000) {
        fault_set(fault, FAULT_CONNECTION, "PostgreSQL %d is too old: luamig needs 14 or newer",
                  PQserverVersion(pg) / 10000);
        return false;
    }
    struct conn *conn = conn_new(pg);
    if (!conn || PQsetnonblocking(pg, 1) != 0 || !PQenterPipelineMode(pg)) {
        free(conn);
        return fault_set(fault, FAULT_CONNECTION, "cannot enter pipeline mode");
    }
    *out = conn;
    return true;
}

// Sends what can be sent without waiting.
static void start_push(struct conn_start *start)
{
    struct pollfd fd = {.fd = PQsocket(start->pg), .events = POLLOUT};
    while (start->status == PGRES_POLLING_WRITING && poll(&fd, 1, 0) == 1) {
        start->status = PQconnectPoll(start->pg);
        fd.fd = PQsocket(start->pg); // of the next host, perhaps
    }
}

static bool start_begin(const char *const *keywords, const char *const *values,
                        struct conn_start **out, struct fault *fault)
{
    struct conn_start *start = calloc(1, sizeof *start);
    PGconn *pg = start ? PQconnectStartParams(keywords, values, 1) : NULL;
    if (!pg) {
        free(start);
        return fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    *start = (struct conn_start){.pg = pg, .status = PGRES_POLLING_WRITING};
    if (PQstatus(pg) == CONNECTION_BAD) {
        connection_fault(pg, fault);
        conn_abandon(start);
        return false;
    }
    start_push(start);
    *out = start;
    return true;
}

void conn_abandon(struct conn_start *start)
{
    if (start) {
        PQfinish(start->pg);
        free(start);
    }
}

bool conn_finish(struct conn_start *start, int connect_timeout_ms, struct conn **out,
                 struct fault *fault)
{
    bool ok = connection_await(start, timeout_of(start->pg, connect_timeout_ms), fault) &&
              finish_open(start->pg, out, fault);
    if (ok) {
        start->pg = NULL;
    }
    conn_abandon(start);
    return ok;
}

bool conn_start(const struct conn_options *options, struct conn_start **out, struct fault *fault)
{
    if (!conn_info_is_sound(options->url, fault)) {
        return false;
    }
    // The URL as "dbname" is expanded by libpq: it wins over what stands before it, and what stands
    // behind it wins over it. A network that has gone silent is noticed within two minutes.
    const char *keywords[] = {
        "keepalives_idle", "keepalives_interval", "keepalives_count",          "tcp_user_timeout",
        "dbname",          "client_encoding",     "fallback_application_name", NULL};
    const char *values[] = {"60",
                            "10",
                            "6",
                            "120000",
                            options->url ? options->url : "",
                            "UTF8",
                            options->application_name ? options->application_name : "luamig",
                            NULL};
    return start_begin(keywords, values, out, fault);
}

bool conn_open(const struct conn_options *options, struct conn **out, struct fault *fault)
{
    struct conn_start *start = NULL;
    return conn_start(options, &start, fault) &&
           conn_finish(start, options->connect_timeout_ms, out, fault);
}

bool conn_twin(const struct conn *conn, struct conn **out, struct fault *fault)
{
    enum { AT_MOST = 80 };
    const char *keywords[AT_MOST + 1] = {NULL}, *values[AT_MOST + 1] = {NULL};
    PQconninfoOption *options = PQconninfo(conn->pg);
    int count = 0;
    for (PQconninfoOption *each = options; each && each->keyword && count < AT_MOST; each++) {
        const char *value = each->val;
        if (strcmp(each->keyword, "host") == 0) {
            value = PQhost(conn->pg); // the one of several that answered
        } else if (strcmp(each->keyword, "port") == 0) {
            value = PQport(conn->pg);
        } else if (strcmp(each->keyword, "hostaddr") == 0) {
            value = NULL;
        }
        if (value && *value) {
            keywords[count] = each->keyword;
            values[count++] = value;
        }
    }
    struct conn_start *start = NULL;
    bool ok = options && start_begin(keywords, values, &start, fault) &&
              conn_finish(start, 3000, out, fault);
    if (!options) {
        fault_set(fault, FAULT_MEMORY, "not enough memory");
    }
    PQconninfoFree(options);
    return ok;
}

char conn_transaction(const struct conn *conn)
{
    switch (PQtransactionStatus(conn->pg)) {
    case PQTRANS_IDLE:
        return 'I';
    case PQTRANS_ACTIVE:
    case PQTRANS_INTRANS:
        return 'T';
    case PQTRANS_INERROR:
        return 'E';
    case PQTRANS_UNKNOWN:
        return '?';
    }
    return '?';
}

bool conn_alive(const struct conn *conn)
{
    return PQstatus(conn->pg) == CONNECTION_OK;
}

int conn_pid(const struct conn *conn)
{
    return PQbackendPID(conn->pg);
}

int conn_library_version(void)
{
    return PQlibVersion();
}

int conn_server_version(const struct conn *conn)
{
    return PQserverVersion(conn->pg);
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

const char *conn_host(const struct conn *conn)
{
    return text_or_empty(PQhost(conn->pg));
}

const char *conn_port(const struct conn *conn)
{
    return text_or_empty(PQport(conn->pg));
}

const char *conn_user(const struct conn *conn)
{
    return text_or_empty(PQuser(conn->pg));
}

const char *conn_database(const struct conn *conn)
{
    return text_or_empty(PQdb(conn->pg));
}

long conn_round_trips(const struct conn *conn)
{
    return conn->round_trips;
}
