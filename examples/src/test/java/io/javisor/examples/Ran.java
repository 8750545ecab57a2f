package io.javisor.examples;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What a command of javisor gave. */
record Ran(int exitCode, String out, String err) {
    static Ran javisor(String... arguments) {
        var out = new StringWriter();
        var err = new StringWriter();
        CommandLine line =
                JavisorCommand.commandLine().setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        int code = line.execute(arguments);
        return new Ran(code, out.toString(), err.toString());
    }
}
