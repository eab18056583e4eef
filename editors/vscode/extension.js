// Starts `rsppc lsp` and leaves everything else to it.
"use strict";

const fs = require("fs");
const path = require("path");
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;

// The command of the settings; a bare name is looked for in the workspace's virtual environment first.
function command() {
  const name = vscode.workspace.getConfiguration("rspp").get("command", "rsppc");
  if (path.basename(name) !== name) {
    return name;
  }
  const inside = process.platform === "win32" ? [".venv", "Scripts", `${name}.exe`] : [".venv", "bin", name];
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    const file = path.join(folder.uri.fsPath, ...inside);
    if (fs.existsSync(file)) {
      return file;
    }
  }
  return name;
}

async function start() {
  const server = { command: command(), args: ["lsp"], transport: TransportKind.stdio };
  client = new LanguageClient("rspp", "RSPP", server, {
    documentSelector: [{ language: "rspp" }],
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.rspp") },
  });
  try {
    await client.start();
  } catch (error) {
    const help = `Cannot start \`${server.command} lsp\`: ${error.message}. Install it, or set rspp.command.`;
    vscode.window.showErrorMessage(help);
  }
}

async function stop() {
  const running = client;
  client = undefined;
  if (running?.isRunning()) {
    await running.stop();
  }
}

exports.activate = async function activate(context) {
  const restart = vscode.commands.registerCommand("rspp.restart", async () => {
    await stop();
    await start();
  });
  context.subscriptions.push(restart);
  await start();
};

exports.deactivate = stop;
