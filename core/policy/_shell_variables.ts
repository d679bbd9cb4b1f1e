import { words } from "../domain/words.ts";

/** Variables by which the shell itself, or what it finds and loads, is bent: setting them in any way asks. */
const SHELL_OWN =
  /^(?:RANDOM|SRANDOM|SECONDS|LINENO|EPOCHSECONDS|EPOCHREALTIME|OPTIND|DIRSTACK|GROUPS|FUNCNAME|PIPESTATUS|PATH|CDPATH|PWD|OLDPWD|HOME|SHELL|SHELLOPTS|ENV|PS[0-4]|PROMPT_COMMAND|GLOBIGNORE|FUNCNEST|EXECIGNORE|POSIXLY_CORRECT|TEXTDOMAIN(?:DIR)?|FIGNORE|INPUTRC|MAIL(?:PATH|CHECK)?|TIMEFORMAT|auto_resume|histchars|HIST[A-Z]+|COMP_[A-Z]+|COMPREPLY|BASH.*|LD_.*|DYLD_.*|_RLD.*|GCONV_PATH|LOCPATH|NLSPATH|MALLOC_.*|GLIBC_.*|TERMINFO.*|TERMCAP)$/u;

/** Variables that other programs take code, programs, settings or hosts from. */
const PROGRAMS =
  /^(?:GIT_.*|SSH_.*|.*PAGER|.*EDITOR|VISUAL|BROWSER|LESS.*|MANOPT|NODE_(?:OPTIONS|PATH|REPL.*|EXTRA.*|TLS.*)|NPM_.*|npm_.*|YARN_.*|PNPM_.*|BUN_.*|DENO_.*|TS_NODE_.*|TSX_.*|ELECTRON_.*|PYTHON(?!UNBUFFERED$|DONTWRITEBYTECODE$|HASHSEED$|IOENCODING$|UTF8$|NOUSERSITE$).*|PIP_.*|UV_.*|POETRY_.*|CONDA_.*|VIRTUAL_ENV|PYTEST_(?:ADDOPTS|PLUGINS)|PERL.*|RUBY.*|BUNDLE_.*|GEM_.*|RAKE.*|PHP.*|COMPOSER_.*|LUA_.*|TCL.*|R_.*|JULIA_.*|ERL_.*|ELIXIR_.*|MIX_(?!ENV$).*|JAVA_.*|_JAVA_OPTIONS|JDK_.*|CLASSPATH|MAVEN_.*|MVN_.*|GRADLE_.*|SBT_.*|CATALINA_.*|DOTNET_.*|CORECLR_.*|COR_.*|NUGET_.*|MSBUILD.*|CC|CXX|CPP|CPPFLAGS|C(?:XX)?FLAGS|LDFLAGS|LIBS|LD|AR|AS|NM|RANLIB|STRIP|OBJCOPY|YACC|LEX|FC|MAKE|MAKE(?:FLAGS|FILES)|MFLAGS|CMAKE_.*|CTEST_.*|PKG_CONFIG.*|ACLOCAL.*|AUTO.*|LIBTOOL.*|GCC_.*|COMPILER_PATH|LIBRARY_PATH|C(?:PLUS)?_INCLUDE_PATH|CCACHE_.*|DISTCC_.*|RUSTC.*|RUSTDOC.*|RUSTFLAGS|RUSTUP_.*|CARGO(?!_TERM_COLOR$|_INCREMENTAL$).*|GO(?!ARCH$|OS$|MAXPROCS$|GC$|TRACEBACK$).*|CGO_.*|DOCKER_.*|BUILDKIT_.*|COMPOSE_.*|CONTAINER_.*|KUBE.*|HELM_.*|TF_.*|AWS_.*|GOOGLE_.*|CLOUDSDK_.*|AZURE_.*|ANSIBLE_.*|VAGRANT_.*|OPENSSL_.*|SSL_.*|CURL_.*|WGETRC|NETRC|REQUESTS_.*|RSYNC_.*|CVS_.*|SVN_.*|HG.*|TAR_OPTIONS|GZIP|XZ_.*|ZSTD_.*|BZIP2?|ZIPOPT|UNZIP.*|GREP_.*|RIPGREP_.*|FZF_.*|FD_.*|BAT_.*|PARALLEL.*|SUDO_.*|DBUS_.*|DISPLAY|XAUTHORITY|WAYLAND_.*|QT_.*|GTK_.*|GIO_.*|GDK_.*|GNUPGHOME|GPG_.*|XDG_.*|HOSTALIASES|RES_OPTIONS|LOCALDOMAIN|EMACS.*|VIM.*|NVIM.*|SCREEN.*|TMUX.*|ASAN_.*|LSAN_.*|UBSAN_.*|TSAN_.*|GDB.*|STRACE.*)$/u;

/** Endings that say what a variable of any program is for. */
const ENDINGS =
  /(?:^|_)(?:PATH|PRELOAD|OPTIONS|OPTS|ARGS|FLAGS|COMMAND|CMD|EXEC|PROGRAM|BINARY|BIN|SHELL|RSH|SSH|ASKPASS|WRAPPER|RUNNER|LINKER|LAUNCHER|HOOKS?|PLUGINS?|MODULES?|CONFIG|CONF|RC|INIT|STARTUP|PROXY|proxy|HOME|ROOT|URL|HOST|REGISTRY|INDEX|MIRROR)$/u;

/** Names that keep their meaning whatever is assigned: what a script sets is not what it gets. */
const FIXED =
  /^(?:_|UID|EUID|PPID|RANDOM|SRANDOM|SECONDS|LINENO|EPOCHSECONDS|EPOCHREALTIME|FUNCNAME|GROUPS|DIRSTACK|PIPESTATUS|OPTIND|OPTARG|OPTERR|BASH.*|HIST.*|COMP_.*|COPROC.*)$/u;

const NUMBERS = new Set(words("UID EUID PPID RANDOM SRANDOM SECONDS LINENO BASHPID EPOCHSECONDS OPTIND"));

/**
 * Why setting a variable asks a person; undefined when it does not. `exported`: programs get it in any case. A plain
 * variable of a script reaches them only where a variable of that name was there before.
 */
export function variableProblem(name: string, exported: boolean): string | undefined {
  if (!SHELL_OWN.test(name) && !PROGRAMS.test(name) && !(exported && ENDINGS.test(name))) return undefined;
  return `it sets ${name}, which bends what programs do`;
}

export function isFixed(name: string): boolean {
  return FIXED.test(name);
}

/** Whether a variable that the script did not set holds a whole number. */
export function isNumeric(name: string): boolean {
  return NUMBERS.has(name);
}

export function isName(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/u.test(text);
}
