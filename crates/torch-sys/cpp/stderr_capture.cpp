#include "stderr_capture.h"

#include <iostream>
#include <mutex>
#include <sstream>
#include <streambuf>

namespace pt2 {
namespace {

thread_local std::string *sink = nullptr;

// Replaces std::cerr's buffer. Writes of threads that run no compiled code pass through. It has no
// buffer of its own, so it is as thread-safe as the buffer behind it.
class StderrRouter : public std::streambuf {
 public:
  explicit StderrRouter(std::streambuf *behind) : behind_(behind) {}

 protected:
  int_type overflow(int_type character) override {
    if (!sink) {
      return behind_->sputc(traits_type::to_char_type(character));
    }
    sink->push_back(traits_type::to_char_type(character));
    return character;
  }

  std::streamsize xsputn(const char *text, std::streamsize count) override {
    if (!sink) {
      return behind_->sputn(text, count);
    }
    sink->append(text, static_cast<size_t>(count));
    return count;
  }

  int sync() override { return sink ? 0 : behind_->pubsync(); }

 private:
  std::streambuf *behind_;
};

// The interface of compiled code (aoti_runtime/interface.cpp, 2.11) turns an exception into a
// number and a line on std::cerr, the only place of the message. The router is never removed,
// because the process may use std::cerr until it exits.
void stand_before_cerr() {
  static std::once_flag once;
  std::call_once(once, [] { std::cerr.rdbuf(new StderrRouter(std::cerr.rdbuf())); });
}

// Writes the rest of the line behind a mark to `rest`.
bool behind(const std::string &line, const char *mark, std::string &rest) {
  auto at = line.find(mark);
  if (at == std::string::npos) {
    return false;
  }
  rest = line.substr(at + std::string(mark).size());
  return true;
}

}  // namespace

StderrCapture::StderrCapture() : outer_(sink) {
  stand_before_cerr();
  sink = &text_;
}

StderrCapture::~StderrCapture() { sink = outer_; }

// libtorch logs `Exception in aoti_torch: <reason>` with a trace, and `Exception across libtorch C
// API boundary: <reason>` since 2.13; compiled code logs `Error: <reason>`.
std::string StderrCapture::reasons() const {
  std::istringstream lines(text_);
  std::string line, reason, all;
  while (std::getline(lines, line)) {
    if (behind(line, "Exception in aoti_torch: ", reason) ||
        behind(line, "Exception across libtorch C API boundary: ", reason) ||
        behind(line, "Error: ", reason)) {
      all += (all.empty() ? "" : "; ") + reason;
    }
  }
  return all.empty() ? text_ : all;
}

}  // namespace pt2
