// A link with a delay: everything that passes between a Unix socket and a server's Unix socket
// arrives later by half a round trip, in either direction.
//   delay LISTEN_SOCKET SERVER_SOCKET ROUND_TRIP_MS
// Serves each connection by a process of its own until it is killed; prints "ready" when it
// listens.
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK_SIZE = 65536 };

struct chunk {
    int64_t due_us;
    size_t size, sent;
    struct chunk *next;
    char data[CHUNK_SIZE];
};

struct lane {
    int from, to;
    struct chunk *head, *tail;
    int is_ended; // the sender has closed
};

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int socket_open(const char *path, int is_listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    const struct sockaddr *name = (const struct sockaddr *)&address;
    int status = is_listening ? bind(fd, name, sizeof address) || listen(fd, 8)
                              : connect(fd, name, sizeof address);
    if (status != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void take(struct lane *lane, int64_t delay_us)
{
    struct chunk *chunk = malloc(sizeof *chunk);
    ssize_t got = read(lane->from, chunk->data, CHUNK_SIZE);
    if (got <= 0) {
        free(chunk);
        lane->is_ended = 1;
        return;
    }
    chunk->size = (size_t)got;
    chunk->sent = 0;
    chunk->next = NULL;
    chunk->due_us = now_us() + delay_us;
    if (lane->tail) {
        lane->tail->next = chunk;
    } else {
        lane->head = chunk;
    }
    lane->tail = chunk;
}

static void give(struct lane *lane)
{
    while (lane->head && lane->head->due_us <= now_us()) {
        struct chunk *chunk = lane->head;
        ssize_t sent = write(lane->to, chunk->data + chunk->sent, chunk->size - chunk->sent);
        if (sent < 0) {
            lane->is_ended = 1;
            return;
        }
        chunk->sent += (size_t)sent;
        if (chunk->sent == chunk->size) {
            lane->head = chunk->next;
            lane->tail = lane->head ? lane->tail : NULL;
            free(chunk);
        }
    }
}

static int wait_ms(const struct lane *lanes)
{
    int64_t least = 1000000;
    for (int i = 0; i < 2; i++) {
        if (lanes[i].head) {
            int64_t left = lanes[i].head->due_us - now_us();
            least = left < least ? left : least;
        }
    }
    return least <= 0 ? 0 : (int)((least + 999) / 1000);
}

static void serve(int client, const char *server_path, int64_t delay_us)
{
    int server = socket_open(server_path, 0);
    struct lane lanes[2] = {{.from = client, .to = server}, {.from = server, .to = client}};
    for (;;) {
        struct pollfd fds[2];
        for (int i = 0; i < 2; i++) {
            fds[i] =
                (struct pollfd){.fd = lanes[i].is_ended ? -1 : lanes[i].from, .events = POLLIN};
        }
        poll(fds, 2, wait_ms(lanes));
        for (int i = 0; i < 2; i++) {
            if (fds[i].revents) {
                take(&lanes[i], delay_us);
            }
            give(&lanes[i]);
        }
        if ((lanes[0].is_ended && !lanes[0].head) || (lanes[1].is_ended && !lanes[1].head)) {
            break;
        }
    }
    close(server);
    close(client);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: delay LISTEN_SOCKET SERVER_SOCKET ROUND_TRIP_MS\n");
        return 2;
    }
    int64_t delay_us = atoi(argv[3]) * 500;
    unlink(argv[1]);
    int listener = socket_open(argv[1], 1);
    printf("ready\n");
    fflush(stdout);
    signal(SIGCHLD, SIG_IGN);
    for (;;) {
        int client = accept(listener, NULL, NULL);
        if (client < 0) {
            continue;
        }
        if (fork() == 0) {
            close(listener);
            serve(client, argv[2], delay_us);
            _exit(0);
        }
        close(client);
    }
}
