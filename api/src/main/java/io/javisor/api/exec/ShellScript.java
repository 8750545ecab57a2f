package io.javisor.api.exec;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The shell's side, as text: POSIX sh with cat, dd, head, mkdir, rm, wc, and stty and setsid if they are there. Forks are what
 * a command costs in a small guest, so the functions prefer what a shell does by itself.
 */
final class ShellScript {
    /** Raw bytes of one put: a quarter of what a terminal's flip buffers hold for a reader that is late. */
    static final int PUT_BLOCK = 16 * 1024;

    /** Longest script that goes into the line that runs it. */
    private static final int LONGEST_INLINE = 3000;

    /** Raw bytes of one get over a serial port. */
    static final int GET_BLOCK = 32 * 1024;

    /** Raw bytes of one put or get over a socket, where only round trips and forks cost. */
    static final int SOCKET_BLOCK = 1 << 20;

    /** Outputs up to this size come with the end of the program. */
    static final int INLINE = 4096;

    /** Ends the program that runs, as soon as it has said which process it is. */
    private static final String KILL = "until read -r jv_p <\"$jv_d/p\";do sleep 1;done;jv_e \"$jv_p\";";

    /** Opening a port clears its receive FIFO: let that eat blanks (64 is the deepest FIFO, once over). */
    private static final String PADDING = " ".repeat(64) + "\n";

    private ShellScript() {}

    /**
     * The first line, for whatever shell sits there; below 1,024 characters, the longest that busybox's line editor takes.
     *
     * <p>The port is kept as descriptor 3, for what listens while a program runs; once, because bash crashes if it duplicates
     * a pipe that a loop of its own script reads. {@code read} takes bytes one by one, so the loop never reads ahead of its
     * line, and another can read the port next. The frame is put together by printf, so that an echo of this line is not taken for it.
     */
    static String bootstrap(String nonce) {
        return bootstrap(nonce, "");
    }

    /** The same for a shell on a socket: when that ends, so does the shell, and leaves nothing behind. */
    static String bootstrapOnSocket(String nonce) {
        return bootstrap(nonce, ";rm -rf \"$jv_d\";exit");
    }

    private static String bootstrap(String nonce, String ending) {
        return PADDING
                + "exec 2>/dev/null;[ $jv_n ]||exec 3<&0;set +m;stty raw -echo cs8 crtscts||stty raw -echo;jv_n="
                + nonce
                + ";printf '\\nJV%s 0 h\\n' $jv_n;"
                + "while IFS= read -r jv_x;do case $jv_x in jv_*|'exec 2'*)command eval \"$jv_x\";;esac;done"
                + ending
                + "\n";
    }

    /**
     * Two lines for the shell on the serial port: a function that starts a shell on a socket to the host, by whatever the guest
     * has for that, and its call. Answers with "a" if something was started, with "f" if the guest has nothing.
     *
     * <p>A busybox that prefers its own programs finds "sh" without a path, and programs are started by paths.
     *
     * <p>A shell's background jobs ignore SIGINT and SIGQUIT, and so would all that they run: each of the programs takes the
     * default back.
     *
     * @param number of the call
     * @param port of the host, an unsigned number
     */
    static String callBack(long number, int port) {
        String p = Integer.toUnsignedString(port);
        return "jv_h(){ command -v \"$1\" >/dev/null;};jv_u(){ jv_b=$(command -v sh);case $jv_b in /*);;*)jv_b=/bin/sh;;esac;"
                + "modprobe hv_sock >/dev/null;jv_a=$1;"
                + "if jv_h javisor-agent;then set -- javisor-agent connect " + p + " \"$jv_b\";"
                + "elif jv_h perl;then set -- perl -e \"socket(S,40,1,0)&&connect(S,pack('S2L2x4',40,0," + p
                + ",2))&&open(STDIN,'<&S')&&open(STDOUT,'>&S')||exit 1;\"'$SIG{INT}=$SIG{QUIT}=\"DEFAULT\";'\"exec '$jv_b'\";"
                + "elif jv_h socat;then set -- socat VSOCK-CONNECT:2:" + p + " EXEC:\"$jv_b\",nofork;"
                + "elif jv_h python3;then set -- python3 -c \"import os,signal as g,socket;s=socket.socket(40,1);"
                + "s.connect((2," + p + "));os.dup2(s.fileno(),0);os.dup2(s.fileno(),1);"
                + "g.signal(2,g.SIG_DFL);g.signal(3,g.SIG_DFL);os.execv('$jv_b',['sh'])\";"
                + "else jv_s $jv_a f;return;fi;"
                + "$jv_c \"$@\" </dev/null >/dev/null 3<&- & jv_s $jv_a a;}\njv_u " + number + "\n";
    }

    /**
     * The functions, a line each, and a call that makes a private folder and says so.
     *
     * @param identity of this host's engine: names the folders that a shell before this one may have left
     * @param nonce of this session
     */
    static String functions(String identity, String nonce) {
        return functions(identity, nonce, GET_BLOCK, "");
    }

    /** The same for a shell on a socket: when that ends, so does the program that runs. */
    static String functionsOnSocket(String identity, String nonce) {
        return functions(identity, nonce, SOCKET_BLOCK, KILL);
    }

    private static String functions(String identity, String nonce, int block, String whenLineEnds) {
        return String.join(
                "\n",
                List.of(
                        // s WORD…: prints a frame.
                        "jv_s(){ printf '\\nJV%s %s\\n' \"$jv_n\" \"$*\";}",
                        // t PID: kills the processes of a session (field 6 of /proc/PID/stat) but its leader, and tells
                        // whether there were any.
                        "jv_t(){ jv_z=1;for jv_f in /proc/[0-9]*/stat;do IFS= read -r jv_y <\"$jv_f\"||continue;"
                                + "set -- \"$1\" ${jv_y##*) };jv_y=${jv_f#/proc/};jv_y=${jv_y%/stat};"
                                + "if [ \"$5\" = \"$1\" ]&&[ \"$2\" != Z ]&&[ \"$jv_y\" != \"$1\" ];then "
                                + "kill -9 \"$jv_y\";jv_z=0;fi;done;return $jv_z;}",
                        // e PID: ends a session, again while its processes fork faster than they die. Its leader goes
                        // last:
                        // with it the shell's wait ends, and whoever runs this is killed.
                        "jv_e(){ kill -STOP \"$1\";for jv_i in 1 2 3 4 5 6 7 8 9;do jv_t \"$1\"||break;done;"
                                + "kill -9 \"-$1\" \"$1\";}",
                        // w: listens while a program runs, and while the shell lives: one that was killed may stay a
                        // zombie.
                        "jv_w(){ while IFS= read -r jv_x;do kill -0 $$&&{ [ -e /proc/$$/exe ]||[ ! -e /proc/$$ ];}||exit;case $jv_x in "
                                + "jv_k*)" + KILL + ";"
                                + "jv_q*)jv_s \"${jv_x#jv_q }\" b;;esac;done;" + whenLineEnds + "}",
                        // k, q SEQ: what is said to w, when there is none.
                        "jv_k(){ return 0;}",
                        "jv_q(){ jv_s \"$1\" b;}",
                        // p SEQ FILE COUNT AGAIN: stores raw bytes, at the end of the file if AGAIN is 1. If there is
                        // no
                        // room it swallows them all the same, or they would be taken for lines.
                        "jv_p(){ [ \"$4\" = 1 ]||true >\"$jv_d/$2\";jv_s \"$1\" w;"
                                + "if head -c \"$3\"|{ cat >>\"$jv_d/$2\"||{ cat >/dev/null;false;};};"
                                + "then jv_s \"$1\" a;else jv_z;jv_s \"$1\" f;fi;}",
                        // r SEQ INPUT SCRIPT: runs, with file i or nothing as input; the script is "-" if it is in file
                        // c.
                        "jv_r(){ if [ \"$jv_l\" = \"$1\" ];then jv_s \"$1\" u;return;fi;jv_l=$1;"
                                + "if [ -e \"$jv_d/o\" ];then rm -f \"$jv_d/o\" \"$jv_d/e\" \"$jv_d/p\";fi;"
                                + "{ true >\"$jv_d/o\"&&true >\"$jv_d/e\";}||{ jv_s \"$1\" f;return;};"
                                + "jv_i=/dev/null;[ \"$2\" = 1 ]&&jv_i=$jv_d/i;jv_s \"$1\" s;jv_w <&3 & jv_v=$!;"
                                + "if [ \"$3\" = - ];then set -- \"$1\" \"$jv_d/c\";else set -- \"$1\" -c \"$3\" sh;fi;jv_o=$1;shift;"
                                + "$jv_c sh \"$@\" \"$jv_d/p\" <\"$jv_i\" >\"$jv_d/o\" 2>\"$jv_d/e\" 3<&-;jv_y=$?;"
                                + "kill -9 $jv_v;wait $jv_v;jv_f=0;jv_g=0;"
                                + "[ -s \"$jv_d/o\" ]&&jv_f=$(($(wc -c <\"$jv_d/o\")));"
                                + "[ -s \"$jv_d/e\" ]&&jv_g=$(($(wc -c <\"$jv_d/e\")));"
                                + "jv_a=$jv_f;[ $jv_a -gt " + INLINE + " ]&&jv_a=0;"
                                + "jv_b=$jv_g;[ $jv_b -gt " + INLINE + " ]&&jv_b=0;"
                                + "jv_s $jv_o d $jv_y $jv_f $jv_g $jv_a $jv_b;"
                                + "[ $jv_a = 0 ]||head -c $jv_a \"$jv_d/o\";[ $jv_b = 0 ]||head -c $jv_b \"$jv_d/e\";"
                                + "jv_s $jv_o .;[ $jv_a$jv_b != $jv_f$jv_g ]||jv_z;}",
                        // g SEQ FILE BLOCK: sends a block.
                        "jv_g(){ jv_s \"$1\" c;dd if=\"$jv_d/$2\" bs=" + block + " skip=\"$3\" count=1;jv_s \"$1\" .;}",
                        // z: forgets a program. Its outputs are removed, not truncated: a child left behind may still
                        // write to them.
                        "jv_z(){ rm -f \"$jv_d\"/?;}",
                        // m ID NONCE: clears up behind a shell that died, makes a folder.
                        "jv_m(){ PATH=${PATH:-/usr/sbin:/usr/bin:/sbin:/bin};export PATH;jv_c=;command -v setsid >/dev/null&&jv_c=setsid;"
                                + "for jv_t in \"$TMPDIR\" /tmp /run /dev/shm /var/tmp /;do [ -d \"$jv_t\" ]||continue;"
                                + "for jv_a in \"$jv_t/javisor.$1.\"*;do [ -d \"$jv_a\" ]||continue;"
                                + "read -r jv_p <\"$jv_a/p\"&&jv_e \"$jv_p\";rm -rf \"$jv_a\";done;"
                                + "jv_d=$jv_t/javisor.$1.$2;mkdir -m 700 \"$jv_d\"&&{ jv_s 0 r;return;};done;jv_s 0 f;}",
                        "jv_m " + identity + " " + nonce,
                        ""));
    }

    /**
     * What the guest's sh runs: it leaves its process ID (which setsid made that of the session) in the file that its first
     * argument names, and becomes the program.
     */
    static String program(ExecRequest request) {
        var text = new StringBuilder("echo $$ >\"$1\";");
        request.directory()
                .ifPresent(d -> text.append("CDPATH= cd ")
                        .append(quoted(d.startsWith("-") ? "./" + d : d))
                        .append("||exit 125;"));
        for (Map.Entry<String, String> e : request.environment().entrySet()) {
            text.append("export ")
                    .append(e.getKey())
                    .append('=')
                    .append(quoted(e.getValue()))
                    .append(';');
        }
        text.append("exec");
        for (String word : request.command()) {
            text.append(' ').append(quoted(word));
        }
        return text.toString();
    }

    /** The script as a word of a line, or null if it has to travel in a file: a line takes neither newlines nor any byte. */
    static @Nullable String inline(String script) {
        if (script.length() > LONGEST_INLINE || !script.chars().allMatch(c -> c >= ' ' && c <= '~')) {
            return null;
        }
        return quoted(script);
    }

    /** Within single quotes a shell takes every byte as it is, but for the quote itself. */
    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }
}
