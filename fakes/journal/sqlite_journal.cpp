#include "fakes/journal/sqlite_journal.hpp"

#include "fakes/base/log.hpp"
#include "fakes/journal/reserve.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace shed {

namespace {

Error not_durable(const Error& cause) {
    return {Reason::internal,
            "the change could not be written to the store, and is undone: " + cause.message};
}

Error disk_full(const std::string& file) {
    return {Reason::internal, "the disk of the store " + file +
                                  " is full: only deletions are taken until there is room"};
}

}  // namespace

struct SqliteJournal::Impl {
    Impl(JournalOptions given, StoreLock taken, StoreFile opened)
        : options(std::move(given)),
          lock(std::move(taken)),
          file(std::move(opened)),
          reserve(options.file + "-reserve", options.reserve_bytes) {}

    void run();
    bool take(std::vector<StoreEvent>& batch);  // false: the end
    void write(std::vector<StoreEvent> batch);
    Result<void> try_to_write(const std::vector<StoreEvent>& batch);
    void lose(const Error& cause);
    void look_for_room();
    // On the store's thread, unless the journal has gone by then.
    void tell(std::function<void(Store&)> what);

    JournalOptions options;
    StoreLock lock;
    StoreFile file;
    Reserve reserve;
    bool broken = false;  // the last commit failed: the file must be mended first
    std::thread thread;
    Store* store = nullptr;
    std::shared_ptr<Impl*> self;  // gone with the journal
    std::weak_ptr<Impl*> alive;   // what is posted holds this

    std::mutex mutex;
    std::condition_variable news;
    std::vector<StoreEvent> queue;  // guarded, as are the next two
    bool ending = false;
    bool losing = false;  // what comes now was built on what is lost, and goes with it
};

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(JournalOptions options) {
    auto lock = StoreLock::take(options.file);
    if (!lock) return lock.error();
    std::string warning;
    auto file = StoreFile::open(options.file, options.vfs, &warning);
    if (!file) return file.error();
    if (!warning.empty()) log(LogLevel::warn, "store.torn_write", {{"what", warning}});
    auto impl = std::make_unique<Impl>(std::move(options), std::move(*lock), std::move(*file));
    return std::unique_ptr<SqliteJournal>(new SqliteJournal(std::move(impl)));
}

SqliteJournal::SqliteJournal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteJournal::~SqliteJournal() {
    impl_->self.reset();
    {
        const std::lock_guard guard(impl_->mutex);
        impl_->ending = true;
    }
    impl_->news.notify_one();
    if (impl_->thread.joinable()) impl_->thread.join();
    impl_->reserve.give_back();
}

Result<std::optional<std::string>> SqliteJournal::kept(const std::string& name) {
    return impl_->file.kept(name);
}

Result<void> SqliteJournal::keep(const std::string& name, const std::string& text) {
    return impl_->file.keep(name, text);
}

Result<void> SqliteJournal::serve(Store& store) {
    SHED_CHECK(impl_->store == nullptr);
    auto state = impl_->file.load();
    if (!state) return state.error();
    store.begin_with(std::move(state->objects), state->version, *this);
    impl_->store = &store;
    impl_->self = std::make_shared<Impl*>(impl_.get());
    impl_->alive = impl_->self;
    if (!impl_->reserve.take()) store.set_full(disk_full(impl_->options.file));
    impl_->thread = std::thread([impl = impl_.get()] { impl->run(); });
    return {};
}

void SqliteJournal::append(const StoreEvent& event) {
    {
        const std::lock_guard guard(impl_->mutex);
        if (impl_->losing) return;
        impl_->queue.push_back(event);
    }
    impl_->news.notify_one();
}

void SqliteJournal::Impl::run() {
    std::vector<StoreEvent> batch;
    while (take(batch)) {
        if (!reserve.taken()) look_for_room();
        if (!batch.empty()) write(std::move(batch));
        batch.clear();
    }
}

bool SqliteJournal::Impl::take(std::vector<StoreEvent>& batch) {
    std::unique_lock guard(mutex);
    const auto something = [this] { return ending || !queue.empty(); };
    if (reserve.taken()) news.wait(guard, something);
    else news.wait_for(guard, options.reserve_retry, something);
    batch.swap(queue);
    return !(ending && batch.empty());
}

void SqliteJournal::Impl::write(std::vector<StoreEvent> batch) {
    const bool was_broken = broken;
    const auto written = try_to_write(batch);
    if (!written) {
        if (!was_broken)
            log(LogLevel::error, "store.write_failed", {{"why", written.error().message}});
        return lose(written.error());
    }
    if (was_broken) log(LogLevel::warn, "store.writes_again", {{"file", options.file}});
    tell([version = batch.back().version()](Store& told) { told.settle(version); });
}

Result<void> SqliteJournal::Impl::try_to_write(const std::vector<StoreEvent>& batch) {
    const ResourceVersion version = batch.back().version();
    if (broken)
        if (auto mended = file.mend(); !mended) return mended;
    broken = false;
    auto written = file.commit(batch, version);
    if (!written && file.is_full() && reserve.taken()) {
        reserve.give_back();
        log(LogLevel::error, "store.disk_full", {{"file", options.file}});
        tell([this](Store& told) { told.set_full(disk_full(options.file)); });
        written = file.commit(batch, version);
    }
    // The log goes round in the room it has instead of growing.
    if (written && !reserve.taken()) static_cast<void>(file.checkpoint());
    broken = !written;
    return written;
}

void SqliteJournal::Impl::lose(const Error& cause) {
    {
        const std::lock_guard guard(mutex);
        losing = true;
        queue.clear();
    }
    tell([this, error = not_durable(cause)](Store& told) {
        told.roll_back(error);
        const std::lock_guard guard(mutex);
        losing = false;
    });
}

void SqliteJournal::Impl::look_for_room() {
    if (!reserve.take()) return;
    log(LogLevel::warn, "store.disk_has_room", {{"file", options.file}});
    tell([](Store& told) { told.set_full(std::nullopt); });
}

void SqliteJournal::Impl::tell(std::function<void(Store&)> what) {
    options.post([alive = alive, what = std::move(what)] {
        if (const auto impl = alive.lock()) what(*(*impl)->store);
    });
}

}  // namespace shed
