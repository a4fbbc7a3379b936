import { ILab } from '../lab/lab';

export function addMain(lab: ILab): void {
  void lab;
}
