// Lints every line of TypeScript and JavaScript of the project. ESLint runs from the repository's
// root (`make lint`), so the patterns below are relative to it.
import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import house from './house.mjs';

// `_name` says: this one is here for its position only.
const unused = ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }];

export default tseslint.config(
  { ignores: ['**/node_modules/', '**/dist/', '**/client-dist/', '**/target/', 'tests/nest/majors/*/src/'] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // Protocols here use control bytes: Engine.IO separates packets with \x1e.
      'no-control-regex': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-unused-vars': unused,
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['node-binding/src-ts/**/*.ts'],
    extends: [tseslint.configs.recommended],
    plugins: { house },
    languageOptions: {
      parserOptions: { project: 'node-binding/tsconfig.json', tsconfigRootDir: process.cwd() },
    },
    rules: {
      '@typescript-eslint/no-unused-vars': unused,
      // Maps of typed events need `any` and `{}`, as socket.io's own types do.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-empty-object-type': 'off',
      // The package is CommonJS, and the addon can only be required.
      '@typescript-eslint/no-require-imports': 'off',
      // A lost rejection takes the host's process down.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // The folders and what they may know of each other: the list is in house.mjs.
      'house/arrows': 'error',
      'house/circles': 'error',
      'house/members': 'error',
      'max-lines': ['error', 600],
      // A longer one says why where it turns this off.
      'max-lines-per-function': ['error', 80],
    },
  },
  {
    // Compiled where their NestJS is installed, which the linters do without.
    files: ['node-binding/examples/**/*.mts', 'tests/nest/**/*.ts'],
    extends: [tseslint.configs.recommended],
    rules: {
      '@typescript-eslint/no-unused-vars': unused,
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-function-type': 'off',
    },
  },
  {
    files: ['**/*.{js,cjs,mjs}'],
    languageOptions: { globals: globals.node },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs' },
  },
  {
    // Pages, and the functions that browser tests hand to a page.
    files: ['node-binding/examples/**/public/**/*.js', 'tests/browser/**/*.mjs'],
    languageOptions: { globals: { ...globals.browser, io: 'readonly' } },
  },
);
