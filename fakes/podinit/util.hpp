#pragma once
// Small things every part of podinit needs: descriptors, files, errors as text.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shed::podinit {

// "doing WHAT: strerror(errno)".
std::string failure(std::string_view doing);

class Descriptor {
public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { reset(); }
    int get() const { return number_; }
    bool open() const { return number_ >= 0; }
    int release();
    void reset(int number = -1);

private:
    int number_;
};

// Closes all descriptors from `first` on but those in `kept`, in any order.
void close_others(int first, std::vector<int> kept);
bool write_text(const char* path, std::string_view text);
bool read_text(const char* path, std::string& text);
bool write_all(int descriptor, std::string_view data);
// mkdir -p; true when the directory is there afterwards.
bool make_directories(const std::string& path, unsigned mode);
// Removes what is below `path`, and `path` itself when `itself`: also a file or a link, which is never followed.
// Takes two descriptors and no stack, however deep the tree. False, with errno, when something stays.
bool remove_tree(const std::string& path, bool itself);
std::int64_t now_nanoseconds();       // wall clock
std::int64_t steady_milliseconds();
// From now to `deadline` of steady_milliseconds(), as poll() wants it: 0 when it has passed (to poll(), a negative time
// is for ever), and at most INT_MAX.
int milliseconds_until(std::int64_t deadline);
std::vector<std::string> split(std::string_view text, char separator);
// Retries waitpid on EINTR; -1 when there is no such child.
int wait_for(int pid, int* status);

}  // namespace shed::podinit
