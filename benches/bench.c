// bench [--kernels DIR] [--large FILE.wasm] [--guests DIR] [--row TEXT] NAME=PATH...
//
// Measures any number of libraries that have a wasm.h and prints a table in Markdown: medians, and how
// the first library compares with each of the others. Each library lives in a child process of its own,
// so that they do not disturb each other. The rounds are interleaved: one sample of each library, then
// again, so that a busy moment of the machine hits all of them.

#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rows.h"

enum { MAX_LIBRARIES = 8, MAX_ROUNDS = 32 };

// After this long, a row of slow samples is good enough with the samples that it has.
static const double row_budget_seconds = 40;

typedef struct {
  char name[64];
  const char* path;
  pid_t pid;  // 0: not running
  int request, answer;
} library_t;

typedef struct {
  double samples[MAX_ROUNDS];
  int count;
  double median;
  long check;
  char note[160];
} result_t;

static library_t libraries[MAX_LIBRARIES];
static int library_count;

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// The child: one sample for each row number that it reads, until there are no more.
static void serve(const char* path, int request, int answer) {
  const char* failure = load_library(path);
  size_t row;
  while (read(request, &row, sizeof(row)) == (ssize_t)sizeof(row)) {
    sample_t sample;
    if (failure != NULL) {
      memset(&sample, 0, sizeof(sample));
      snprintf(sample.note, sizeof(sample.note), "%s", failure);
    } else {
      sample = rows[row].run();
    }
    if (write(answer, &sample, sizeof(sample)) != (ssize_t)sizeof(sample)) break;
  }
  _exit(0);
}

static void start(library_t* library) {
  int request[2], answer[2];
  if (pipe(request) != 0 || pipe(answer) != 0) {
    perror("pipe");
    exit(1);
  }
  library->pid = fork();
  if (library->pid < 0) {
    perror("fork");
    exit(1);
  }
  if (library->pid == 0) {
    // Other children's pipes must not be kept open from here.
    for (int i = 0; i < library_count; ++i) {
      if (libraries[i].pid > 0 && &libraries[i] != library) {
        close(libraries[i].request);
        close(libraries[i].answer);
      }
    }
    close(request[1]);
    close(answer[0]);
    serve(library->path, request[0], answer[1]);
  }
  close(request[0]);
  close(answer[1]);
  library->request = request[1];
  library->answer = answer[0];
}

static void stop(library_t* library, char* note, size_t note_size) {
  if (library->pid == 0) return;
  close(library->request);
  close(library->answer);
  int status = 0;
  waitpid(library->pid, &status, 0);
  library->pid = 0;
  if (note == NULL) return;
  if (WIFSIGNALED(status)) {
    snprintf(note, note_size, "ends the process: %s", strsignal(WTERMSIG(status)));
  } else {
    const char* reasons[] = {"exits", "exits", "exits", "function missing", "traps",
                             "wrong result", "instance refused"};
    int code = WEXITSTATUS(status);
    snprintf(note, note_size, "%s", code < 7 ? reasons[code] : "ends the process");
  }
}

// One sample of one row in one library; false if there was none.
static bool take(library_t* library, size_t row, result_t* result) {
  sample_t sample;
  if (library->pid == 0) start(library);
  if (write(library->request, &row, sizeof(row)) != (ssize_t)sizeof(row) ||
      read(library->answer, &sample, sizeof(sample)) != (ssize_t)sizeof(sample)) {
    stop(library, result->note, sizeof(result->note));
    return false;
  }
  if (sample.note[0] != 0) memcpy(result->note, sample.note, sizeof(result->note));
  if (!sample.ok) return false;
  if (result->count > 0 && sample.check != result->check) {
    snprintf(result->note, sizeof(result->note), "results differ between rounds");
  }
  result->check = sample.check;
  result->samples[result->count++] = sample.value;
  return true;
}

static int by_value(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static void measure(size_t row, result_t results[]) {
  bool out[MAX_LIBRARIES] = {false};
  double begin = seconds();
  for (int round = 0; round < rows[row].rounds; ++round) {
    if (round > 0 && seconds() - begin > row_budget_seconds) break;
    for (int i = 0; i < library_count; ++i) {
      // Each round starts with another library.
      int which = (i + round) % library_count;
      if (!out[which]) out[which] = !take(&libraries[which], row, &results[which]);
    }
  }
  for (int i = 0; i < library_count; ++i) {
    result_t* result = &results[i];
    if (result->count == 0) continue;
    qsort(result->samples, (size_t)result->count, sizeof(double), by_value);
    int middle = result->count / 2;
    result->median = result->count % 2 == 1
      ? result->samples[middle]
      : (result->samples[middle - 1] + result->samples[middle]) / 2;
  }
}

static void format_value(char* out, size_t size, double value, unit_t unit) {
  switch (unit) {
    case UNIT_NS: snprintf(out, size, "%.2f ns", value); break;
    case UNIT_US: snprintf(out, size, "%.2f us", value / 1e3); break;
    case UNIT_MS: snprintf(out, size, "%.2f ms", value / 1e6); break;
    case UNIT_KIB: snprintf(out, size, "%+.0f KiB", value); break;
    case UNIT_BYTES: snprintf(out, size, "%.0f bytes", value); break;
    case UNIT_TIMES: snprintf(out, size, "%.2f", value); break;
  }
}

// A ratio below one reads better as a fraction.
static void format_ratio(char* out, size_t size, double ratio) {
  if (ratio > 0 && ratio < 0.5) snprintf(out, size, "1/%.1f", 1 / ratio);
  else snprintf(out, size, "%.2f", ratio);
}

static void print_row(const row_t* row, const result_t results[]) {
  char text[64];
  const result_t* ours = &results[0];
  printf("| %s |", row->name);
  for (int i = 0; i < library_count; ++i) {
    if (results[i].count > 0) {
      format_value(text, sizeof(text), results[i].median, row->unit);
      printf(" %s%s%s%s |", text, results[i].note[0] != 0 ? " (" : "", results[i].note,
             results[i].note[0] != 0 ? ")" : "");
    } else {
      printf(" %s |", results[i].note);
    }
  }
  for (int i = 1; i < library_count; ++i) {
    if (row->unit != UNIT_KIB && row->unit != UNIT_TIMES && ours->count > 0 && results[i].count > 0) {
      format_ratio(text, sizeof(text), ours->median / results[i].median);
      if (ours->check != results[i].check) strcpy(text, "results differ");
      printf(" %s |", text);
    } else {
      printf(" |");
    }
  }

  bool comparable = library_count > 1 && results[1].count > 0;
  switch (row->target_kind) {
    case TARGET_NONE: printf(" | |\n"); break;
    case TARGET_RATIO:
      format_ratio(text, sizeof(text), row->target);
      printf(" %s | %s |\n", text,
             ours->count == 0 || !comparable                          ? ""
               : ours->median / results[1].median <= row->target ? "yes"
                                                                      : "no");
      break;
    case TARGET_ABSOLUTE:
      // Absolute targets stand in the unit that the samples have.
      format_value(text, sizeof(text), row->target, row->unit);
      printf(" %s | %s |\n", text, ours->count == 0 ? "" : ours->median <= row->target ? "yes" : "no");
      break;
    case TARGET_AT_LEAST:
      format_value(text, sizeof(text), row->target, row->unit);
      printf(" %s | %s |\n", text, ours->count == 0 ? "" : ours->median >= row->target ? "yes" : "no");
      break;
  }
  fflush(stdout);
}

static void print_machine(void) {
  char line[256], model[256] = "unknown processor";
  FILE* file = fopen("/proc/cpuinfo", "r");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
    char* colon = strchr(line, ':');
    if (strncmp(line, "model name", 10) != 0 || colon == NULL) continue;
    line[strcspn(line, "\n")] = 0;
    snprintf(model, sizeof(model), "%s", colon + 2);
    break;
  }
  if (file != NULL) fclose(file);
  char date[32];
  time_t now = time(NULL);
  strftime(date, sizeof(date), "%Y-%m-%d", gmtime(&now));
  printf("%s, %s, %ld processors. Medians of interleaved rounds.\n\n", date, model,
         sysconf(_SC_NPROCESSORS_ONLN));
}

int main(int argc, char* argv[]) {
  const char* only = NULL;
  for (int i = 1; i < argc; ++i) {
    char* equals = strchr(argv[i], '=');
    if (strcmp(argv[i], "--kernels") == 0 && i + 1 < argc) {
      kernel_directory = argv[++i];
    } else if (strcmp(argv[i], "--large") == 0 && i + 1 < argc) {
      large_module = argv[++i];
    } else if (strcmp(argv[i], "--guests") == 0 && i + 1 < argc) {
      guest_directory = argv[++i];
    } else if (strcmp(argv[i], "--row") == 0 && i + 1 < argc) {
      only = argv[++i];
    } else if (equals != NULL && equals != argv[i] && library_count < MAX_LIBRARIES) {
      library_t* library = &libraries[library_count++];
      snprintf(library->name, sizeof(library->name), "%.*s", (int)(equals - argv[i]), argv[i]);
      library->path = equals + 1;
    } else {
      library_count = 0;
      break;
    }
  }
  if (library_count == 0) {
    fprintf(stderr, "usage: %s [--kernels DIR] [--large FILE.wasm] [--guests DIR] [--row TEXT] NAME=PATH...\n", argv[0]);
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);

  print_machine();
  printf("| |");
  for (int i = 0; i < library_count; ++i) printf(" %s |", libraries[i].name);
  for (int i = 1; i < library_count; ++i) printf(" %s / %s |", libraries[0].name, libraries[i].name);
  printf(" target | met |\n| --- |");
  for (int i = 0; i < 2 * library_count + 1; ++i) printf(" ---: |");
  printf("\n");
  fflush(stdout);

  bool large_missing = false, guests_missing = false;
  for (size_t row = 0; row < row_count; ++row) {
    if (only != NULL && strstr(rows[row].name, only) == NULL) continue;
    if (strstr(rows[row].name, "14 MB") != NULL && large_module == NULL) {
      large_missing = true;
      continue;
    }
    if (strncmp(rows[row].name, "guest", 5) == 0 && guest_directory == NULL) {
      guests_missing = true;
      continue;
    }
    fprintf(stderr, "%s...\n", rows[row].name);
    result_t results[MAX_LIBRARIES];
    memset(results, 0, sizeof(results));
    measure(row, results);
    print_row(&rows[row], results);
  }
  if (large_missing) printf("\nThe row of the large module is left out: the module could not be fetched.\n");
  if (guests_missing) printf("\nThe rows of guests are left out: their packages could not be fetched.\n");
  for (int i = 0; i < library_count; ++i) stop(&libraries[i], NULL, 0);
  return 0;
}
